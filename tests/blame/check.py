"""Compares what the program says with the oracle, field by field. Use it through tests/blame/run."""

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import histories
import hostile
import itself
import known
import state
from driver import Crash, Program
from drift import SERVED, Drift
from fields import ABSENT, parse, samples, written
from gitstore import Store, git
from importing import Importer
from oracle import UNKNOWN, Oracle, Target, agreed

NO_CONTENT = re.compile(r"\.(apiVersion|kind|status\b.*|metadata(\.(?!labels|annotations).*)?)$|\.$")
SHOWN = 10  # disagreements of a sort that are printed


class Tally:
    """What was compared, and what did not agree."""

    def __init__(self):
        self.agree, self.differ, self.open = Counter(), Counter(), Counter()
        self.failures = []

    def compare(self, sort, found, right, where, said, expected):
        if right:
            self.agree[sort] += 1
            return
        self.differ[sort] += 1
        if self.differ[sort] <= SHOWN:
            print(f"DISAGREEMENT ({sort}) {where}\n    program: {said}\n    oracle:  {expected}")

    def fail(self, text):
        self.failures.append(text)
        print(f"FAILED: {text}")

    def table(self):
        print(f"\n{'compared':56}{'agree':>8}{'differ':>8}{'open':>8}")
        for sort in sorted({*self.agree, *self.differ, *self.open}):
            print(f"{sort:56}{self.agree[sort]:8}{self.differ[sort]:8}{self.open[sort]:8}")
        print(f"{'all':56}{self.agree.total():8}{self.differ.total():8}{self.open.total():8}")
        print("open: the rules leave the answer open, or it rests on what cannot be read; not asked for")


class Check:
    """One state of one repository."""

    def __init__(self, tally, oracle, program, name, replay):
        self.tally, self.oracle, self.program, self.name, self.replay = tally, oracle, program, name, replay
        self.missing = set()

    def where(self, identity, path):
        group, kind, namespace, name = identity
        return f"{self.name}: {kind}.{group} {namespace or '-'}/{name} {path}\n    replay:  {self.replay}"

    def commit(self, commit):
        behind = self.oracle.position.get(commit)
        return f"{commit[:12]} ({f'{behind} behind' if behind is not None else 'not on the line'})" if commit else "null"

    def answer(self, answer):
        if answer.reached is None:
            return "null: before the history at hand"
        return f"{' or '.join(map(self.commit, sorted(answer.commits)))}, reached by {self.commit(answer.reached)}"

    def declared(self, sort, found, answer, identity, path):
        """Whether the commit is right, and the merge with it."""
        if answer is None:
            self.tally.open[sort] += 1
            return
        if answer.reached not in answer.commits and answer.reached:
            sort += ", inside a merge"
        # Where several commits are right, it proves less.
        sort += ", one of several" if len(answer.commits) > 1 else ""
        commit, reached = (found.get("commit"), found.get("reachedBy")) if found else (None, None)
        right = commit in answer.commits and reached == answer.reached_by(commit)
        said = f"{self.commit(commit)}{f', reached by {self.commit(reached)}' if reached else ''}"
        self.tally.compare(sort, found, right, self.where(identity, path), said, self.answer(answer))

    def line(self, sort, said, expected, identity, path):
        self.tally.compare(sort, said, said == expected, self.where(identity, path), said, expected)

    def blame(self):
        """Every field of every object; False where there is no such command."""
        blamed = self.program.blame()
        if blamed is None:
            return False
        for target, identity, document in self.oracle.now():
            if identity in self.missing:
                continue  # a live object is shown, and this one is not
            version = f"{document.group}/{document.version}".lstrip("/")
            if SERVED.get(document.kind, version) != version:
                # No schema is known of it: its lists are told by position.
                self.tally.open["blame, of a version that is no more"] += 1
                continue
            fields = dict(blamed.get(identity, {}))
            for steps in samples(document.value, self.oracle.shape(document)):
                path = written(steps)
                answer = agreed(self.oracle.since(value) for value in self.oracle.fields(identity, target, document, steps))
                said = fields.pop(path, None)
                if said is None and any(other.startswith(f"{path}[") or path.startswith((f"{other}.", f"{other}[")) for other in fields):
                    continue  # told by its elements, or as part of something that is not there: asked about below
                if said is None:
                    self.tally.compare("blame, a field that is there", said, False, self.where(identity, path), "no such field", answer)
                else:
                    self.declared("blame", said["declaredBy"], answer, identity, path)
                    self.line("blame: line", said["line"], self.oracle.line_of(target, identity, steps), identity, path)
            for path, said in fields.items():
                if NO_CONTENT.match(path):
                    continue
                values = self.oracle.fields(identity, target, document, parse(path))
                if any(value(self.oracle.line[0]) == ABSENT for value in values):
                    continue
                answer = agreed(self.oracle.since(value) for value in values)
                self.declared("blame, other fields", said["declaredBy"], answer, identity, path)
        return True

    def scan(self, drift):
        """Every difference that was put live."""
        self.program.live(drift.objects)
        report = self.program.scan()
        found = {}
        for finding in report["findings"]:
            found[(*identity_of(finding), finding["path"] or ".")] = finding
            if finding["code"] == "DL004":
                self.missing.add(identity_of(finding))
        for (identity, path), expected in drift.expected.items():
            finding = found.get((*identity, path))
            if finding is None or finding["code"] != expected.code:
                near = sorted(f"{each['code']} {each['path']}" for key, each in found.items() if key[:4] == identity)
                self.tally.compare(f"scan, {expected.what}: a finding", finding, False, self.where(identity, path),
                                   finding["code"] if finding else f"none; of the object: {near}", expected.code)
            elif expected.what == "left over":
                self.left_over(finding, expected, identity, path)
            else:
                self.declared(f"scan, {expected.what}: declaredBy", finding["declaredBy"], expected.declared, identity, path)
                if expected.line:
                    self.line("scan: line", finding["origin"]["line"], expected.line, identity, path)
                if expected.what != "missing":
                    self.matches(finding["liveMatches"], expected, identity, path)
        return report

    def matches(self, found, expected, identity, path):
        sort = f"scan, {expected.what}: liveMatches"
        if expected.behind == UNKNOWN:
            self.tally.open[sort] += 1
            return
        said = self.commit(found["commit"]) if found else "null"
        if found and expected.behind and found["commit"] in expected.older and found["commit"] != self.oracle.line[expected.behind]:
            sort += ", of several that have the value"
            said += ": it has the value, but is not the newest"
        wanted = None if expected.behind is None else self.oracle.line[expected.behind]
        right = (found["commit"] if found else None) == wanted
        self.tally.compare(sort, found, right, self.where(identity, path), said, self.commit(wanted))
        if found and found["commit"] in self.oracle.position:
            behind = self.oracle.position[found["commit"]]
            self.tally.compare("scan: commitsBehind, of the commit that is named", found, found["commitsBehind"] == behind,
                               self.where(identity, path), f"{said}, commitsBehind {found['commitsBehind']}", behind)

    def left_over(self, finding, expected, identity, path):
        """Both commits have to be named: the one that removed the object and the last that declared it; the latter as it is on the
        line, or as the one that gave the object what it last was."""
        if expected.declared is None:
            self.tally.open["scan, left over"] += 1
            return
        named = [each["commit"] for each in (finding["declaredBy"], finding["liveMatches"]) if each]
        named += re.findall(r"\b[0-9a-f]{7,40}\b", finding["note"] or "")
        removed = any(commit.startswith(each) for each in named for commit in expected.declared.commits)
        values = self.oracle.objects(identity, self.oracle.targets[0])
        at = self.oracle.position[expected.last]
        earlier = Oracle(self.oracle.store, self.oracle.line[at], self.oracle.targets, self.oracle.passed_over)
        answers = [earlier.since(value) for value in values]
        last = {expected.last, *(commit for answer in answers if answer for commit in (*answer.commits, answer.reached) if commit)}
        right = removed and any(commit.startswith(each) for each in named for commit in last)
        self.tally.compare("scan, left over", finding, right, self.where(identity, path), f"names {named}",
                           f"removed by {self.answer(expected.declared)}, last declared at {self.commit(expected.last)}")


def identity_of(finding):
    return finding["apiVersion"].rpartition("/")[0], finding["kind"], finding["namespace"], finding["name"]


def generated(tally, binary, folder, seed):
    """A generated repository: as it is, or first at an earlier commit; after a forced push; in a shallow clone; and where the
    configuration was another one before. All but the clone share a ledger and a cache, as one installation does."""
    repository, shallow = folder / f"seed-{seed}.git", folder / f"seed-{seed}-shallow.git"
    histories.generate(repository, seed)
    targets = [state.A, state.B]
    store = Store(repository)
    head, before, rewritten = (store.resolve(each) for each in ("main", "before", "rewritten"))
    dice, replay, blamed = random.Random(seed), f"tests/blame/run --seed {seed}", None

    def track(commit):
        git(repository, "update-ref", "refs/heads/main", commit)

    def check(what, commit, targets, store=store):
        nonlocal blamed
        path = Path(store.path)
        oracle = Oracle(store, commit, targets)
        one = Check(tally, oracle, Program(binary, folder / f"{path.stem}-run", path, targets), f"seed {seed}{what}", replay)
        report = one.scan(Drift(oracle, dice))
        blamed = one.blame()
        return oracle, report

    if seed % 2:
        # What was read at an earlier commit is continued.
        track(before)
        check(", before its last commits", before, targets)
        track(head)
    check("", head, targets)
    if seed % 3 == 0:
        check(", with another default namespace", head, [replace(state.A, namespace="gamma"), state.B])
        check(", as one target", head, [Target("a", "clusters", "alpha")])
    track(rewritten)
    oracle, report = check(", after a forced push", rewritten, targets)
    if head not in oracle.position:
        # No commit of the new line is that one: who names it speaks of what was before.
        tally.compare("a forced push is told", report, head[:7] in str(report), f"seed {seed}\n    replay:  {replay}",
                      "nothing of it in the report", f"from {head[:12]} to {rewritten[:12]}")
    store.close()
    depth = len(oracle.line) // 3
    Importer.git("clone", "--quiet", "--bare", f"--depth={depth}", "--branch=main", f"file://{repository}", str(shallow))
    store = Store(shallow)
    check(f", {depth} deep", rewritten, targets, store)
    store.close()
    return blamed


def corpus(tally, binary, folder, bundle):
    """The bundle's `manifests`, at its head and at an earlier commit."""
    repository = folder / "corpus.git"
    Importer.git("clone", "--quiet", "--bare", bundle, str(repository))
    targets = [Target("corpus", "manifests", "monitoring")]
    store = Store(repository)
    blamed = None
    line = store.line(store.resolve("HEAD"))
    for at in (0, len(line) // 3):
        git(repository, "update-ref", "refs/heads/checked", line[at])
        oracle = Oracle(store, line[at], targets, "CustomResourceDefinition|dashboardDefinitions")
        program = Program(binary, folder / f"corpus-{at}", repository, targets, "checked")
        check = Check(tally, oracle, program, f"corpus at {line[at][:12]}", f"DRIFTLEDGER_TEST_CORPUS={bundle} tests/blame/run --corpus")
        check.scan(Drift(oracle, random.Random(at), most=8))
        blamed = check.blame()
    store.close()
    return blamed


def main():
    parser = argparse.ArgumentParser(prog="tests/blame/run")
    parser.add_argument("binary")
    parser.add_argument("--long", action="store_true", help="at least 2,000 fields, the corpus, and hostile repositories of full size")
    parser.add_argument("--seed", type=int, help="play this one history only; with --long, begin with it")
    parser.add_argument("--corpus", action="store_true", help="play the corpus only")
    parser.add_argument("--hostile", action="store_true", help="play the hostile repositories only")
    parser.add_argument("--keep", help="a folder in which repositories and ledgers stay")
    chosen = parser.parse_args()
    wrong = [f"the oracle is wrong about: {each}" for each in known.check()] + itself.check(Tally, Check)
    if wrong:
        print("\n".join(wrong))
        return 2
    print(f"the oracle is right about {len(known.DECLARED) + len(known.MATCHED)} histories made by hand, and altered answers are noticed")
    folder = Path(chosen.keep or tempfile.mkdtemp(prefix="blame-"))
    folder.mkdir(parents=True, exist_ok=True)
    tally, started, blamed = Tally(), time.monotonic(), None
    only = chosen.corpus or chosen.hostile or chosen.seed is not None and not chosen.long

    def play(what, part, *arguments):
        nonlocal blamed
        begun = time.monotonic()
        try:
            said = part(tally, chosen.binary, folder, *arguments)
            blamed = blamed if said is None else said
        except Crash as crash:
            tally.fail(f"{what}: {crash}")
        print(f"{what}: {time.monotonic() - begun:.1f} s", flush=True)
    try:
        first = chosen.seed if chosen.seed is not None else random.randrange(1_000_000) if chosen.long else 1
        count = 0 if chosen.corpus or chosen.hostile else 30 if chosen.long else 1 if chosen.seed is not None else 4
        for seed in range(first, first + count):
            play(f"seed {seed}", generated, seed)
        if chosen.hostile or not only:
            play("hostile repositories", hostile.play, chosen.long)
        bundle = os.environ.get("DRIFTLEDGER_TEST_CORPUS")
        if bundle and (chosen.corpus or chosen.long and not only):
            play("corpus", corpus, bundle)
        elif not only or chosen.corpus:
            print("not run: the corpus, which needs --long and DRIFTLEDGER_TEST_CORPUS")
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)
    tally.table()
    if blamed is False:
        tally.fail("the program has no command `blame`")
    compared = tally.agree.total() + tally.differ.total()
    if chosen.long and not only and compared < 2000:
        tally.fail(f"only {compared} fields were compared")
    print(f"{compared} fields compared in {time.monotonic() - started:.0f} s, {tally.differ.total()} disagreements, "
          f"{len(tally.failures)} failures")
    return 1 if tally.differ.total() or tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
