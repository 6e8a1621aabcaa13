"""AWS as one service process sees it."""

from __future__ import annotations

import time
from dataclasses import replace

from soak.answers import Answer, Request, refusal
from soak.faults import Fault, Faults, refused
from soak.kinesis import Kinesis
from soak.targets import Function, Queue

_MOVING = {"GetRecords", "Invoke", "SendMessageBatch", "SendMessage"}


class Front:
    """Answers the requests of one service; `life` is which of its lives is now, from 0."""

    def __init__(self, kinesis: Kinesis, function: Function, queue: Queue, faults: Faults) -> None:
        self.kinesis = kinesis
        self.function = function
        self.queue = queue
        self.faults = faults
        self.life = 0

    def answer(self, request: Request) -> Answer:
        if request.service == "cloudwatch":
            return Answer({})
        fault = self.faults.next(request.service, request.operation in _MOVING)
        answer = refused(request.service, fault)
        if answer:
            return answer
        if fault is Fault.LOST:
            # Some of the records failed, which nobody will know.
            answer = self._carried_out(request, Fault.PARTIAL)
            return replace(answer, written=self.faults.share())
        answer = self._carried_out(request, fault)
        if fault is Fault.SLOW:
            time.sleep(self.faults.delay())
        return answer

    def _carried_out(self, request: Request, fault: Fault | None) -> Answer:
        match request.service:
            case "kinesis":
                return self.kinesis.answer(request)
            case "lambda":
                return self.function.answer(request, fault)
            case "sqs":
                return self.queue.answer(request, fault)
        return refusal(400, "UnknownOperationException")
