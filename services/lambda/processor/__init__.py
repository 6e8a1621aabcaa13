"""The Lambda function `inventory-processor`: it applies events to the inventory table.

Lambda calls `handler`. `processor` handles one batch. It calls AWS through `store` and
`rejections`.
"""
