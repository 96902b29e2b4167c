"""Every option of the command line, declared once: parsing, help, manual and errors come from here."""
