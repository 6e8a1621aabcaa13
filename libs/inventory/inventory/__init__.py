"""The domain: the event contract, the rules of the stock, and the formats of both.

`event` and `stock` are the contract and the rules, `items` the row as DynamoDB holds it, `stream` a
record of Kinesis, `rejections` and `dead_letters` the messages of failures. It imports nothing of
ours.
"""
