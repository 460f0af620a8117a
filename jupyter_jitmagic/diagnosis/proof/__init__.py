"""A rewrite runs beside plain Python, on other inputs too."""
