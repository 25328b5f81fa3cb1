"""The brute-force answer: which commit is behind a field, found by reading every version of every manifest.

The rules, where DESIGN.md and the issue leave room:

1. What reached a revision is what its first parents say (the line). At each commit of it every manifest below the targets' paths is
   parsed. Of several declarations of one object in a target, the last one in path order is in force.
2. An object is who it is by group (moved groups are one), kind, namespace (left out: its target's) and name. It is followed within
   the targets of one repository, revision and cluster: where its own target does not declare it, another one's declaration counts,
   in the order of the configuration. What stood below no target's path was not declared.
3. A field's value at a commit is what is parsed there, quantities by value, 1 and 1.0 alike, null as if it were not written.
   An object that left and came back starts anew, and so does a field.
4. `declaredBy` is the oldest commit of the newest run of equal values that ends at the tip. Where that commit is a merge, the commit
   is looked for that made the change on a merged side: back from each parent that has the value, over parents that have it, to
   those of whose parents none has it. A commit that the merge's first parent descends from made no change that the merge brought:
   then it is the merge's own doing, and so it is where no other parent has the value. Several such commits: each is a right answer.
5. `liveMatches` is the newest commit of the line before the tip at which the field has the live value; `commitsBehind` counts first
   parents from the tip to it.
6. For a field that is declared no more it is the commit since which it is not, for an object likewise.
7. In a shallow clone, what has its value since the last commit at hand was declared before: no commit is named.
8. Where a file of a target cannot be parsed at a commit and the object is in none of the others, its value there is not known;
   an answer that rests on it is not asked for. Neither is one that depends on what the rules leave open: whether order and
   apiVersion are content of a whole object, whether a custom resource's resources are quantities, where a shallow clone cuts a
   merged side off.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from fields import Shape, look, normal
from lines import line_of
from manifests import canonical, read, tidy

GONE = "gone"  # the object is not declared
UNKNOWN = "unknown"
BEFORE = "before the history at hand"


@dataclass(frozen=True)
class Target:
    name: str
    path: str
    namespace: str


@dataclass(frozen=True)
class Answer:
    """Commits of which each is right, and the merge of the line that brought it, where that is another one."""
    commits: frozenset
    reached: str

    def reached_by(self, commit):
        return None if commit in (None, self.reached) else self.reached


class Oracle:
    """The history of a revision of a repository at a commit."""

    def __init__(self, store, tip, targets, passed_over=None):
        """Objects in files whose path matches `passed_over` are not asked for, and only their last version is read."""
        self.store, self.targets = store, targets
        self.passed_over = re.compile(passed_over or r"(?!)")
        self.line = store.line(tip)
        self.position = {commit: at for at, commit in enumerate(self.line)}
        self._read = lru_cache(None)(lambda blob: read(store.object(blob)))
        self._declared = lru_cache(None)(self._declared_below)
        self._ancestors = lru_cache(64)(store.ancestors)
        self.document = lru_cache(None)(self._document)
        self.shapes = {}

    def _declared_below(self, below, namespace, path, last):
        found, whole = {}, True
        is_tree, identity = below
        for file, blob in self.store.files(identity) if is_tree else [("", identity)]:
            if not last and self.passed_over.search(file):
                continue
            documents, readable = self._read(blob)
            whole &= readable
            for document in documents:
                found[document.identity(namespace)] = (document, f"{path}/{file}".strip("/"))
        return found, whole

    def declared(self, commit, target):
        """What a target declares at a commit: identity to (document, file), and whether all of it could be read."""
        below = self.store.below(self.store.commit(commit).tree, target.path)
        return self._declared(below, target.namespace, target.path, commit == self.line[0]) if below else ({}, True)

    def _document(self, commit, identity, own):
        """An object's document at a commit, GONE or UNKNOWN."""
        whole = True
        for target in [own, *(target for target in self.targets if target != own)]:
            declared, readable = self.declared(commit, target)
            if identity in declared:
                return declared[identity][0]
            whole &= readable
        return GONE if whole else UNKNOWN

    def now(self):
        """What is declared at the tip: (target, identity, document)."""
        return [found[:3] for found in self._now() if not self.passed_over.search(found[3])]

    def not_asked(self):
        """The same, of what is passed over."""
        return [found[:3] for found in self._now() if self.passed_over.search(found[3])]

    def _now(self):
        for target in self.targets:
            for identity, (document, file) in self.declared(self.line[0], target)[0].items():
                yield target, identity, document, file

    def line_of(self, target, identity, steps):
        """The line of a field in the file that declares it at the tip, None where it is not written there."""
        below = self.store.below(self.store.commit(self.line[0]).tree, self.declared(self.line[0], target)[0][identity][1])
        return line_of(self.store.object(below[1]), identity, target.namespace, steps)

    def shape(self, document):
        """The lists of a kind, by the definition of it that the targets declare."""
        kind = document.group, document.version, document.kind
        if kind not in self.shapes:
            crds = (each for _, _, each, _ in self._now() if each.kind == "CustomResourceDefinition")
            crd = next((each.value for each in crds
                        if (each.value["spec"]["group"], each.value["spec"]["names"]["kind"]) == (kind[0], kind[2])), None)
            self.shapes[kind] = Shape(kind[2], crd, kind[1])
        return self.shapes[kind]

    def lens(self, identity, own, of):
        """What `of` makes of an object, by commit; GONE and UNKNOWN stay."""
        known = {}

        def value(commit):
            document = self.document(commit, identity, own)
            if isinstance(document, str):
                return document
            if id(document) not in known:
                known[id(document)] = of(document)
            return known[id(document)]
        return value

    def run(self, value):
        """The oldest commit of the newest run of equal values, with what was there before (None at the first commit of all, BEFORE
        at the end of a shallow clone); None where that is not known."""
        now = value(self.line[0])
        for at, commit in enumerate(self.line):
            end = BEFORE if self.store.commit(commit).cut else None
            before = value(self.line[at + 1]) if at + 1 < len(self.line) else end
            if before != now:
                return None if UNKNOWN in (now, before) else (commit, before)
        return None

    def since(self, value):
        """The commits that gave `value` what it has at the tip, by rule 4; None where that is not known, no commit where it was before
        the history at hand."""
        found = self.run(value)
        if found and found[1] == BEFORE:
            return Answer(frozenset([None]), None)
        return found and self.authors(found[0], value)

    def authors(self, merge, value):
        """Who made the change that a commit of the line brought."""
        now = value(merge)
        first, *sides = self.store.commit(merge).parents or (None,)
        left = [side for side in sides if value(side) == now]
        if any(value(side) == UNKNOWN for side in sides):
            return None
        if not left:
            return Answer(frozenset([merge]), merge)
        known, seen, ends = self._ancestors(first), set(left), set()
        while left:
            commit = left.pop()
            if commit in known:
                ends.add(merge)
                continue
            parents = self.store.commit(commit).parents
            if self.store.commit(commit).cut or any(value(parent) == UNKNOWN for parent in parents):
                return None
            having = [parent for parent in parents if value(parent) == now]
            if not having:
                ends.add(commit)
            for parent in having:
                if parent not in seen:
                    seen.add(parent)
                    left.append(parent)
        return Answer(frozenset(ends), merge)

    def newest(self, value, wanted):
        """How far behind the tip the newest commit with a value is; None where none at hand has it, UNKNOWN where a newer one may."""
        doubt = False
        for at, commit in enumerate(self.line[1:], start=1):
            here = value(commit)
            if here == wanted:
                return UNKNOWN if doubt else at
            doubt |= here == UNKNOWN
        return None

    def fields(self, identity, own, document, steps):
        """The values of a field by commit, as text, under each reading that the rules leave open."""
        def reading(quantities):
            return self.lens(identity, own, lambda document: normal(look(document.value, steps), steps, quantities))
        return [reading(quantities) for quantities in ([True, False] if self.shape(document).custom else [True])]

    def objects(self, identity, own):
        """The values of a whole object by commit, as text, under each reading that the rules leave open."""
        def reading(order, version):
            def of(document):
                value = json.loads(normal(content(document, version), (), document.kind != "Widget"))
                return canonical(value if order else unordered(value))
            return self.lens(identity, own, of)
        return [reading(order, version) for order in (True, False) for version in (True, False)]


def content(document, version=False):
    """What an object is besides its name: without status and what the server writes for itself."""
    value = tidy(document.value)
    kept = {key: value[key] for key in value if key not in ("apiVersion", "kind", "status", "metadata")}
    metadata = {key: value["metadata"][key] for key in ("labels", "annotations", "finalizers") if value["metadata"].get(key)}
    return {**kept, "metadata": metadata, **({"apiVersion": (document.group, document.version)} if version else {})}


def unordered(value):
    if isinstance(value, dict):
        return {key: unordered(below) for key, below in value.items()}
    if isinstance(value, list):
        return sorted((unordered(below) for below in value), key=canonical)
    return value


def agreed(answers):
    """The answer that all readings give, or None."""
    answers = list(answers)
    return answers[0] if all(answer == answers[0] for answer in answers) else None
