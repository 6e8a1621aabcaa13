"""The domain: the event contract, the rules of the stock, and the formats of both.

`event` and `stock` are the contract and the rules, `items` the form of a row in DynamoDB, and
`failure_messages` the messages about failed events. It is pure, and imports nothing of ours.
"""
