"""The Lambda function `inventory-alerts`: it publishes failures and stock levels for people.

Lambda calls `handler`. `occurrence` and `crossings` read what happened from the records of the
queue and of the table's stream, and `message` makes one message of many occurrences.
"""
