"""What a batch leaves behind: tables, pages and JSON, all made from the grades. Nothing here grades or reads a database."""
