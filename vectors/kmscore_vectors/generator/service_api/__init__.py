"""The file `service_api`: requests to the service, and its responses."""
