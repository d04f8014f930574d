"""What one invocation does: drive a request, carry out its moves, hand over to the next one."""
