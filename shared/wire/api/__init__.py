"""The API's table: what can be asked, what is answered, in which units."""
