"""`eventbridge-pipes apply`: creates the pipes that a CloudFormation template describes.

It needs boto3 and PyYAML, and nothing that only the service needs: an emulator's own Python can
run it.
"""
