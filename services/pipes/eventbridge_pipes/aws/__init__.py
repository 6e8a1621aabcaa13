"""The AWS calls that are made all the time, without what an SDK does around each of them."""
