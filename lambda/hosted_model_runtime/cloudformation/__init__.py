"""CloudFormation's protocol: its events become requests, an outcome becomes the answer."""
