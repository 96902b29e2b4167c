"""What credit is made of: touches, points, costs, rows and lists."""
