"""Live objects that differ from Git in known ways, and what has to be said about each difference."""

import copy
import json
from dataclasses import dataclass, field

from fields import ABSENT, leaves, look, normal, place, put, samples, written
from oracle import BEFORE, GONE, UNKNOWN, Answer, agreed

SERVED = {
    "Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1", "ClusterRole": "rbac.authorization.k8s.io/v1", "Widget": "example.com/v1"}
# Maps and lists in which an entry that Git does not declare is a finding without further evidence.
OPEN = ("data", "metadata.labels", "metadata.annotations", "spec.template.spec.containers.env", "spec.parts")


@dataclass
class Expected:
    """What has to be said about one difference. `None` of an answer: it is not asked for."""
    what: str
    code: str
    declared: Answer | None
    behind: int | None | str = UNKNOWN
    older: set = field(default_factory=set)
    last: str | None = None
    line: int | None = None


class Drift:
    """`objects`: the dump. `expected`: by identity and path."""

    def __init__(self, oracle, dice, most=4):
        self.oracle, self.dice, self.most = oracle, dice, most
        self.objects, self.expected = [], {}
        declared, count = oracle.now(), {}
        for _, identity, _ in declared:
            count[identity] = count.get(identity, 0) + 1
        kept = {}
        self.objects += [placed(document.value, identity) for _, identity, document in oracle.not_asked()]
        for target, identity, document in declared:
            value = placed(document.value, identity)
            scanned = count[identity] == 1 and value["apiVersion"] == SERVED.get(document.kind, value["apiVersion"])
            ordinary = scanned and document.kind not in ("CustomResourceDefinition", "Namespace", "Secret")
            kinds = kept.setdefault(document.kind, 0)
            if ordinary and kinds and dice.random() < 0.06:
                self.missing(target, identity)
                continue
            kept[document.kind] += 1
            if ordinary:
                self.change(target, identity, document, value)
            self.objects.append(value)
        self.left_over(set(count))

    def expect(self, identity, steps, expected):
        self.expected[identity, written(steps)] = expected

    def missing(self, target, identity):
        values = self.oracle.objects(identity, target)
        self.expect(identity, [], Expected("missing", "DL004", agreed(self.oracle.since(value) for value in values)))

    def change(self, target, identity, document, live):
        """Changes some fields of a live object, none of them inside another."""
        taken = []
        fields = [steps for steps in samples(document.value, self.oracle.shape(document)) if steps[-1][0] == "field"]
        self.dice.shuffle(fields)
        # Those with a past come first: they have more to be wrong about.
        fields[:16] = sorted(fields[:16], key=lambda steps: not self.earlier(target, identity, document, steps))
        former = self.former(target, identity, document)
        self.dice.shuffle(former)
        for steps in former[:2]:
            if free(steps, taken) and self.undeclared(target, identity, document, live, steps):
                taken.append(steps)
        if taken:
            # Shows that somebody applied them once; without that, or managedFields, nothing is said about what Git does not declare.
            applied = json.dumps(live)
            live["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/last-applied-configuration"] = applied
        for steps in fields:
            if len(taken) == self.most:
                break
            roll = self.dice.random()
            if roll < 0.15:
                steps = steps[:-1] if len(steps) > 1 and steps[-2][0] == "key" else steps
                ways = [self.absent]
            else:
                ways = [self.older, self.new] if roll < 0.9 else [self.new]
            if free(steps, taken) and any(way(target, identity, document, live, steps) for way in ways):
                taken.append(steps)

    def values(self, target, identity, document, steps):
        return self.oracle.fields(identity, target, document, steps)

    def declare(self, what, code, target, identity, document, live, steps, new):
        """Puts a value live and works out what has to be said."""
        values = self.values(target, identity, document, steps)
        put(live, steps, new)
        wanted = normal(new, steps)
        behind = agreed(self.oracle.newest(value, wanted) for value in values[:1])
        if len(values) > 1 and agreed(self.oracle.newest(v, normal(new, steps, q)) for v, q in zip(values, (True, False))) != behind:
            behind = UNKNOWN
        older = {commit for commit in self.oracle.line[1:] if values[0](commit) == wanted}
        self.expect(identity, steps, Expected(what, code, agreed(self.oracle.since(value) for value in values), behind, older,
                                                line=self.oracle.line_of(target, identity, steps)))
        return True

    def earlier(self, target, identity, document, steps):
        """The values that a field had before and has no more: text to value."""
        value = self.values(target, identity, document, steps)[0]
        found = {}
        for commit in self.oracle.line[1:]:
            if (text := value(commit)) not in (value(self.oracle.line[0]), ABSENT, GONE, UNKNOWN, '""'):
                found[text] = look(self.oracle.document(commit, identity, target).value, steps)
        return found

    def older(self, target, identity, document, live, steps):
        found = self.earlier(target, identity, document, steps)
        now = look(document.value, steps)
        # The type has to be the schema's, or there would be more to say than that a value differs.
        found = {text: value for text, value in found.items() if kind(value) == kind(now) and now != "" and not covers(value, now)}
        if not found:
            return False
        return self.declare("older", "DL001", target, identity, document, live, steps, found[self.dice.choice(sorted(found))])

    def new(self, target, identity, document, live, steps):
        now = look(document.value, steps)
        if place(steps).startswith("spec.template.spec.containers.resources"):
            new = "7777Mi" if place(steps).endswith("memory") else "77"
        elif isinstance(now, str) and now:
            new = f"never-{self.dice.randrange(1000)}"
        elif kind(now) == "number" and not place(steps).endswith(("Port", "port")):
            new = 777
        elif place(steps) == "spec.steps":
            new = ["never"]
        else:
            return False
        return self.declare("new", "DL001", target, identity, document, live, steps, new)

    def absent(self, target, identity, document, live, steps):
        if place(steps[:-1]) not in OPEN and place(steps) not in OPEN or look(document.value, steps) in ("", ABSENT):
            return False
        values = self.values(target, identity, document, steps)
        # What no version without the field stands for is the server's or nobody's: only the writer could tell.
        put(live, steps, ABSENT)
        behind = agreed(self.oracle.newest(value, ABSENT) for value in values)
        self.expect(identity, steps, Expected("absent", "DL002", agreed(self.oracle.since(value) for value in values), behind,
                                                line=self.oracle.line_of(target, identity, steps)))
        return True

    def former(self, target, identity, document):
        """Entries of open maps and lists that an earlier version had and today's has not, where today's has the map or list."""
        shape, found = self.oracle.shape(document), {}
        for commit in self.oracle.line[1:]:
            version = self.oracle.document(commit, identity, target)
            if isinstance(version, str):
                continue
            for steps in leaves(version.value, shape):
                steps = next((list(steps[:n]) for n in range(1, len(steps) + 1) if is_entry(steps[:n])), None)
                if steps and look(document.value, steps) is ABSENT and not written_null(document.value, steps):
                    found[written(steps)] = steps
        return [found[text] for text in sorted(found)]

    def undeclared(self, target, identity, document, live, steps):
        values = self.values(target, identity, document, steps)
        since = [self.oracle.run(value) for value in values]
        if any(found is None or found[1] in (None, GONE, BEFORE) for found in since):
            return False  # in an earlier life of the object
        found = self.earlier(target, identity, document, steps)
        if not found:
            return False
        return self.declare("undeclared", "DL003", target, identity, document, live, steps, found[self.dice.choice(sorted(found))])

    def left_over(self, now):
        """Objects that Git declared once, still live as they were last declared."""
        gone = {}
        for commit in self.oracle.line[1:]:
            for target in self.oracle.targets:
                for identity in self.oracle.declared(commit, target)[0]:
                    if identity not in now:
                        gone.setdefault(identity, (commit, target))
        # Of a kind that the dump holds at several versions it proves nothing.
        listed = {live["kind"] for live in self.objects}
        listed -= {live["kind"] for live in self.objects if live["apiVersion"] != SERVED.get(live["kind"], live["apiVersion"])}
        for identity, (commit, target) in sorted(gone.items(), key=str)[:6]:
            document = self.oracle.document(commit, identity, target)
            if document.kind not in ("ConfigMap", *SERVED) or document.kind not in listed:
                continue
            live = placed(document.value, identity)
            live["apiVersion"] = SERVED.get(document.kind, live["apiVersion"])
            self.objects.append(live)
            values = self.oracle.objects(identity, target)
            self.expect(identity, [], Expected("left over", "DL005", agreed(self.oracle.since(value) for value in values), last=commit))


def is_entry(steps):
    """Whether a path is that of an entry of an open map or list."""
    return place(steps[:-1] if steps[-1][0] == "field" else steps) in OPEN


def placed(value, identity):
    """A copy of an object with its namespace written."""
    value = copy.deepcopy(value)
    if identity[2]:
        value["metadata"]["namespace"] = identity[2]
    return value


def kind(value):
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def written_null(value, steps):
    """Whether the map or list around a field is not there or empty, or says that the field is left to the server."""
    around = look(value, steps[:-1])
    return around in (ABSENT, {}, []) or isinstance(around, dict) and steps[-1][1] in around


def covers(live, now):
    """Whether a live list has all that is declared and more inside its elements: what only a writer could explain."""
    return isinstance(live, list) and len(live) == len(now) and all(
        isinstance(one, dict) and isinstance(other, dict) and other.items() <= one.items() for one, other in zip(live, now))


def free(steps, taken):
    return not any(steps[:len(other)] == other or other[:len(steps)] == steps for other in taken)
