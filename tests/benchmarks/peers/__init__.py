"""Programs of other model servers, run by `service_peers.py` in environments of their own."""
