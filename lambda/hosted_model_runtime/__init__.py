"""What runs in the Lambda function: it hosts or stops a model, as CloudFormation or a schedule asks."""
