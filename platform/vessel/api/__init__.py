"""What a node serves: its gRPC services, over the same NodeApi that gateways use."""
