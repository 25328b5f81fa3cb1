"""Manifests as kubectl reads them: YAML 1.1 scalars as Go's sigs.k8s.io/yaml resolves them, objects and who they are.

Sources: the rules of go.yaml.in/yaml/v2 (`resolve.go`) and of Go's strconv for plain scalars; kubectl splits a stream at lines
that begin with `---`; the "Deprecated API Migration Guide" of Kubernetes for kinds that moved to another group.
"""

import json
import math
import re
from dataclasses import dataclass

import yaml

PLAIN = "!plain"
BOOLEANS = {word: value for value, words in ((True, "y yes on true"), (False, "n no off false"))
            for lower in words.split() for word in (lower, lower.capitalize(), lower.upper())}
NULLS = {"", "~", "null", "Null", "NULL"}
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
MOVED = {("extensions", kind): group for group, kinds in {
    "apps": ("DaemonSet", "Deployment", "ReplicaSet"),
    "networking.k8s.io": ("Ingress", "NetworkPolicy"),
    "policy": ("PodSecurityPolicy",)}.items() for kind in kinds}
CLUSTER_WIDE = {
    "APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "MutatingWebhookConfiguration", "Namespace",
    "PersistentVolume", "PriorityClass", "StorageClass", "ValidatingWebhookConfiguration"}


def integer(text):
    """A whole number as strconv.ParseInt and ParseUint with base 0 read it, or None."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    radix = 10
    if digits[:2].lower() in ("0x", "0o", "0b"):
        radix, digits = {"x": 16, "o": 8, "b": 2}[digits[1].lower()], digits[2:]
    elif len(digits) > 1 and digits[0] == "0":
        radix, digits = 8, digits[1:]
    allowed = "0123456789abcdef"[:radix]
    if not digits or any(digit not in allowed for digit in digits.lower()):
        return None
    number = int(digits, radix) * (-1 if sign == "-" else 1)
    return number if -(2**63) <= number < (2**63 if sign else 2**64) else None


def plain(text):
    """What a plain scalar means."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if text[0] in "0123456789+-.":
        tight = text.replace("_", "") if text[0] != "." else text
        number = integer(tight) if tight else None
        if number is not None:
            return number if abs(number) < 2**63 else float(number)
        if FLOAT.match(tight):
            number = float(tight)
            return number if math.isfinite(number) else text
    return text


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """PyYAML's parser with kubectl's scalars."""


Loader.yaml_implicit_resolvers = {
    "<": [("tag:yaml.org,2002:merge", re.compile(r"<<\Z"))],
    None: [(PLAIN, re.compile(""))],
}


def _mapping(loader, node):
    loader.flatten_mapping(node)
    return {_key(loader.construct_object(key, deep=True)): loader.construct_object(value, deep=True)
            for key, value in node.value}


def _key(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


Loader.add_constructor(PLAIN, lambda loader, node: plain(node.value))
Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


@dataclass(frozen=True)
class Document:
    """An object as it stands in a file."""
    group: str
    version: str
    kind: str
    namespace: str | None
    name: str
    value: dict

    def identity(self, default_namespace):
        """Who the object is in its cluster: a kind that moved is one kind, a namespace left out is the target's."""
        group = MOVED.get((self.group, self.kind), self.group)
        namespace = None if self.kind in CLUSTER_WIDE else self.namespace or default_namespace
        return group, self.kind, namespace, self.name


def pieces(text):
    """The documents of a stream as text, each with the number of lines before it."""
    at = 0
    for match in re.finditer(r"^---(?=\s|\Z).*$", text, flags=re.MULTILINE):
        yield text[at:match.start()], text.count("\n", 0, at)
        at = match.end()
    yield text[at:], text.count("\n", 0, at)


def expand(value):
    """An object, or those in a list of objects."""
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from expand(item)
    else:
        yield value


def document_of(value):
    """A value as an object; None where it is none."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(each, str) and each for each in (
            value.get("kind"), value.get("apiVersion"), metadata.get("name"))):
        return None
    group, _, version = value["apiVersion"].rpartition("/")
    return Document(group, version, value["kind"], metadata.get("namespace") or None, metadata["name"], value)


def read(content):
    """The documents of a file in order, and whether all of it could be read."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [], False
    found, whole = [], True
    for piece, _ in pieces(text):
        try:
            roots = list(yaml.load_all(piece, Loader)) if piece.strip() else []
        except (yaml.YAMLError, ValueError):
            whole = False
            continue
        for value in (each for root in roots for each in expand(root)):
            if isinstance(value, dict) and ("kind" in value or "apiVersion" in value):
                document = document_of(value)
                whole &= document is not None
                found += [document] if document else []
    return found, whole


def canonical(value):
    """One text for one value: key order, 1 against 1.0 and entries that are null make no difference."""
    return json.dumps(tidy(value), sort_keys=True, ensure_ascii=False)


def tidy(value):
    if isinstance(value, dict):
        return {key: tidy(below) for key, below in value.items() if below is not None}
    if isinstance(value, list):
        return [tidy(below) for below in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value
