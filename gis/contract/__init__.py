"""What tables, services and results must look like."""
