"""The file `service_blob`: the service's own layout and context rule."""
