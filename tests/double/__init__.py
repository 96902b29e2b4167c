"""What tests use beside the double of an org (`leadline_double`): random histories, and asking without a network."""
