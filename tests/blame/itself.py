"""Whether the check notices what is wrong: it is given the oracle's own answers, some of them altered."""

import contextlib
import io
import random
import tempfile
from pathlib import Path

import histories
import state
from fields import samples, written
from gitstore import Store
from oracle import Oracle, agreed


class Altered:
    """In place of the program. `count`: the answers that are not the oracle's."""

    def __init__(self, oracle, share):
        self.oracle, self.share, self.dice, self.count = oracle, share, random.Random(1), 0

    def blame(self):
        told = {}
        for target, identity, document in self.oracle.now():
            fields = told.setdefault(identity, {})
            for steps in samples(document.value, self.oracle.shape(document)):
                answer = agreed(self.oracle.since(value) for value in self.oracle.fields(identity, target, document, steps))
                commit = answer and sorted(answer.commits)[0]
                by = commit and {"commit": commit, "reachedBy": answer.reached_by(commit)}
                field = {"declaredBy": by, "line": self.oracle.line_of(target, identity, steps)}
                if by and self.dice.random() < self.share:
                    field = self.alter(field)
                if field:
                    fields[written(steps)] = field
        return told

    def alter(self, field):
        self.count += 1
        by, tip = field["declaredBy"], self.oracle.line[0]
        other = tip if by["commit"] != tip else self.oracle.line[1]
        return self.dice.choice([
            None, {**field, "declaredBy": None}, {**field, "line": field["line"] + 1}, {**field, "declaredBy": {**by, "commit": other}},
            {**field, "declaredBy": {**by, "reachedBy": None if by["reachedBy"] else other}}])


def check(tally_of, check_of):
    """What the check failed to notice, or noticed without reason."""
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository.git"
        histories.generate(repository, 2)
        store = Store(repository)
        oracle = Oracle(store, store.resolve("main"), [state.A, state.B])
        for share in (0, 0.2):
            tally, program = tally_of(), Altered(oracle, share)
            with contextlib.redirect_stdout(io.StringIO()):
                check_of(tally, oracle, program, "", "").blame()
            if tally.differ.total() != program.count or bool(share) != bool(program.count):
                failures.append(f"of {program.count} altered answers {tally.differ.total()} were noticed")
        store.close()
    return failures
