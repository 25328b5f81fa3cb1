"""Histories made by hand whose answers are plain to see: what the oracle is held to, each time it is used."""

import tempfile
from pathlib import Path

from fields import ABSENT, parse
from gitstore import Store
from importing import Importer
from oracle import UNKNOWN, Oracle, Target, agreed

TARGETS = [Target("a", "a", "shop"), Target("b", "b", "shop")]


def config_map(key, name="x", namespace=None):
    """`key` is the YAML of .data.k; None leaves it out."""
    data = f"data: {{k: {key}, other: o}}" if key is not None else "data: {other: o}"
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{f', namespace: {namespace}' if namespace else ''}}}\n{data}\n"


def deployment(cpu, env, api="apps/v1", replicas="2"):
    return f"""apiVersion: {api}
kind: Deployment
metadata: {{name: x}}
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
      - name: side
        image: s:1
      - name: api
        image: a:1
        env: [{env}]
        resources: {{limits: {{cpu: {cpu}}}}}
"""


def at(label, parents, key, *others):
    """A commit of one ConfigMap, and of other files."""
    return label, parents, {"a/x.yaml": config_map(key), **{other: "" for other in others}}


ENV, MORE = "{name: A, value: one}", "{name: B, value: two}, {name: A, value: one}"
CM, DEPLOY, K = ("", "ConfigMap", "shop", "x"), ("apps", "Deployment", "shop", "x"), ".data.k"
CPU = '.spec.template.spec.containers[name="api"].resources.limits.cpu'
VALUE = '.spec.template.spec.containers[name="api"].env[name="A"].value'

# Name, commits (label, labels of parents, files), object, field, label of declaredBy, label of the merge that brought it.
DECLARED = [
    ("a change", [at("1", "", "v"), at("2", "1", "w")], CM, K, "2", None),
    ("another field's change is none",
     [at("1", "", "v"), ("2", "1", {"a/x.yaml": config_map("v").replace("other: o", "other: p")})], CM, K, "1", None),
    ("indentation, order, quotes and comments",
     [at("1", "", "v"),
      ("2", "1", {"a/x.yaml": "# c\ndata:\n    other: o\n    k: 'v'\nmetadata:\n    name: x\nkind: ConfigMap\napiVersion: v1\n"})],
     CM, K, "1", None),
    ("text is no number", [at("1", "", "1"), at("2", "1", "'1'")], CM, K, "2", None),
    ("octal, underscores and floats",
     [("1", "", {"a/x.yaml": deployment("1", ENV, replicas="010")}), ("2", "1", {"a/x.yaml": deployment("1", ENV, replicas="8.0")}),
      ("3", "2", {"a/x.yaml": deployment("1", ENV, replicas="0_8")})], DEPLOY, ".spec.replicas", "1", None),
    ("yes is true", [at("1", "", "yes"), at("2", "1", "true")], CM, K, "1", None),
    ("moved, split and merged",
     [at("1", "", "v"), ("2", "1", {"a/deep/y.yml": config_map("v")}),
      ("3", "2", {"a/all.yaml": config_map("q", "z") + "---\n" + config_map("v")})], CM, K, "1", None),
    ("moved between targets, the namespace written",
     [("1", "", {"b/x.yaml": config_map("v")}), ("2", "1", {"a/x.yaml": config_map("v", namespace="shop")})], CM, K, "1", None),
    ("from outside the targets it is new",
     [("1", "", {"c/x.yaml": config_map("v")}), at("2", "1", "v")], CM, K, "2", None),
    ("removed and added again",
     [at("1", "", "v"), ("2", "1", {"a/y.yaml": config_map("v", "other")}), at("3", "2", "v")],
     CM, K, "3", None),
    ("a revert of a revert",
     [at("1", "", "v"), at("2", "1", "w"), at("3", "2", "v"),
      at("4", "3", "w")], CM, K, "4", None),
    ("quantities by value, elements by key",
     [("1", "", {"a/x.yaml": deployment("1000m", ENV)}), ("2", "1", {"a/x.yaml": deployment("'1'", MORE)})], DEPLOY, CPU, "1", None),
    ("an element before it",
     [("1", "", {"a/x.yaml": deployment("1", ENV)}), ("2", "1", {"a/x.yaml": deployment("2", MORE)})], DEPLOY, VALUE, "1", None),
    ("a group that moved",
     [("1", "", {"a/x.yaml": deployment("1", ENV, "extensions/v1beta1")}), ("2", "1", {"a/x.yaml": deployment("1", ENV)})],
     DEPLOY, VALUE, "1", None),
    ("inside a merge",
     [at("1", "", "v"), at("m", "1", "v", "r"),
      at("s", "1", "w"), at("t", "s", "w", "t"),
      at("2", "m t", "w")], CM, K, "s", "2"),
    ("in the merge itself",
     [at("1", "", "v"), at("m", "1", "u"), at("s", "1", "w"),
      at("2", "m s", "z")], CM, K, "2", None),
    ("a merge that takes the old value back",
     [at("1", "", "v"), at("m", "1", "u"), at("s", "1", "v", "s"),
      at("2", "m s", "v")], CM, K, "2", None),
    ("both sides made the same change: the line did",
     [at("1", "", "v"), at("m", "1", "w"), at("s", "1", "w", "s"),
      at("2", "m s", "w")], CM, K, "m", None),
    ("a foxtrot merge: the line's is the merge, the author was on the other side",
     [at("1", "", "v"), at("o", "1", "w"), at("l", "1", "v", "l"),
      at("2", "l o", "w", "l")], CM, K, "o", "2"),
    ("an octopus's third parent",
     [at("1", "", "v"), at("s", "1", "v", "s"), at("t", "1", "w"),
      at("2", "1 s t", "w")], CM, K, "t", "2"),
    ("through a merge into the merged side",
     [at("1", "", "v"), at("m", "1", "v", "m"), at("s", "1", "w"),
      at("t", "s m", "w", "m"), at("2", "m t", "w", "m")], CM, K, "s", "2"),
    ("two sides made it: each is right",
     [at("1", "", "v"), at("s", "1", "w"), at("t", "1", "w", "t"),
      at("2", "1 s t", "w")], CM, K, "s t", "2"),
    ("since when a field is declared no more",
     [at("1", "", "v"), at("2", "1", None), at("3", "2", "null", "r")],
     CM, K, "2", None),
    ("since when an object is declared no more",
     [at("1", "", "v"), ("2", "1", {"a/y.yaml": config_map("v", "other")}), ("3", "2", {"a/z.yaml": config_map("v", "z")})],
     CM, None, "2", None),
    ("the last of two declarations counts",
     [("1", "", {"a/x.yaml": config_map("u") + "---\n" + config_map("v")}),
      ("2", "1", {"a/x.yaml": config_map("w") + "---\n" + config_map("v")})],
     CM, K, "1", None),
    ("behind a file that cannot be parsed nothing is known",
     [at("1", "", "v"), ("2", "1", {"a/x.yaml": "kind: ["}), at("3", "2", "v")],
     CM, K, None, None),
    ("what another broken document is beside is known",
     [at("1", "", "v"), ("2", "1", {"a/x.yaml": "kind: [\n---\n" + config_map("v")})], CM, K, "1", None),
]

LINE = [at("1", "", "v"), at("2", "1", "v", "r"), at("3", "2", "w"),
        at("4", "3", None), at("5", "4", "u"), at("6", "5", "u", "r")]
# Name, commits, the live value as text, commits behind.
MATCHED = [
    ("the newest commit that has it", LINE, '"v"', 4),
    ("right before the change", LINE, '"w"', 3),
    ("without the field", LINE, ABSENT, 2),
    ("never in Git", LINE, '"q"', None),
    ("not known behind a broken file", [*LINE[:3], ("4", "3", {"a/x.yaml": "kind: ["}), at("5", "4", "u")], '"w"', UNKNOWN),
]


def check():
    """The names of the cases that fail, each with what came out."""
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, commits, *rest) in enumerate([*DECLARED, *MATCHED]):
            importer, numbers = Importer(Path(folder) / str(number)), {}
            for label, parents, files in commits:
                content = {path: text.encode() for path, text in files.items()}
                numbers[label] = importer.commit(content, [numbers[parent] for parent in parents.split()], label)
            ids = importer.close(main=numbers[commits[-1][0]])
            labels = {ids[each]: label for label, each in numbers.items()}
            store = Store(importer.path)
            oracle = Oracle(store, store.resolve("main"), TARGETS)
            found, expected = (_declared if len(rest) == 4 else _matched)(oracle, labels, *rest)
            store.close()
            if found != expected:
                failures.append(f"{name}: {found}, expected {expected}")
    return failures


def _declared(oracle, labels, identity, path, declared, reached):
    if path:
        document = next((oracle.document(commit, identity, TARGETS[0]) for commit in oracle.line
                         if not isinstance(oracle.document(commit, identity, TARGETS[0]), str)))
        values = oracle.fields(identity, TARGETS[0], document, parse(path))
    else:
        values = oracle.objects(identity, TARGETS[0])
    answer = agreed(oracle.since(value) for value in values)
    expected = declared and (declared, reached or declared)
    return answer and (" ".join(sorted(labels[commit] for commit in answer.commits)), labels[answer.reached]), expected


def _matched(oracle, _labels, live, behind):
    document = oracle.document(oracle.line[0], CM, TARGETS[0])
    return agreed(oracle.newest(value, live) for value in oracle.fields(CM, TARGETS[0], document, parse(K))), behind
