"""What runs in the function: a CloudFormation request becomes a model that is hosted, or stopped."""
