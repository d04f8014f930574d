"""What the protocol and chaos tests stand on."""
