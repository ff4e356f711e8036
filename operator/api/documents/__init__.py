"""The API's documents, made from its table: OpenAPI, AsyncAPI, and a page for people."""
