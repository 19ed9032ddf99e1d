"""Fetches /openapi.json and /asyncapi.json of a running server and checks them.

check_descriptions.py URL VERSION

Beyond what the validators of the two formats say: every reference leads somewhere, every component is used, every
example is what its schema says, and address and version are the server's.
"""

import sys
import warnings

import jsonschema
import requests

warnings.filterwarnings("ignore")
from asyncapi3.models.asyncapi import AsyncAPI3  # noqa: E402
from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: E402

url, version = sys.argv[1].rstrip("/"), sys.argv[2]
problems = []


def check(condition, text):
    if not condition:
        problems.append(text)


def walk(value, path=()):
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from walk(part, path + (key,))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from walk(part, path + (index,))


def lookup(document, reference):
    value = document
    for part in reference[2:].split("/"):
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return value


def check_references(name, document):
    used = set()
    for path, value in walk(document):
        if not isinstance(value, dict):
            continue
        for reference in [value.get("$ref"), *value.get("x-payloads", {}).values()]:
            if not isinstance(reference, str):
                continue
            used.add(reference)
            try:
                lookup(document, reference)
            except (KeyError, TypeError):
                problems.append(f"{name}: {'/'.join(map(str, path))} refers to {reference}, which is not there")
    for kind in ("schemas", "responses", "parameters", "messages"):
        for component in document["components"].get(kind, {}):
            check(f"#/components/{kind}/{component}" in used, f"{name}: nobody uses {kind}/{component}")


def check_examples(name, document, dialect):
    for component, schema in document["components"]["schemas"].items():
        dialect.check_schema(schema)
        validator = dialect({"$ref": f"#/components/schemas/{component}", "components": document["components"]})
        for example in schema.get("examples", []):
            for error in validator.iter_errors(example):
                problems.append(f"{name}: an example of {component}: {error.message}")


def fetch(path):
    answer = requests.get(url + path, timeout=20)
    check(answer.status_code == 200, f"{path}: {answer.status_code}")
    check(answer.headers["content-type"] == "application/json", f"{path}: {answer.headers['content-type']}")
    check("{{" not in answer.text, f"{path} has a place that was not filled")
    return answer.json()


openapi, asyncapi = fetch("/openapi.json"), fetch("/asyncapi.json")
for error in OpenAPIV31SpecValidator(openapi).iter_errors():
    problems.append(f"openapi: {error.message}")
try:
    AsyncAPI3.model_validate(asyncapi)
except ValueError as error:
    problems.append(f"asyncapi: {error}")
check(openapi["servers"][0]["url"] == url, f"openapi: the server is {openapi['servers'][0]['url']}")
for server in asyncapi["servers"].values():
    check(server["host"] == url.split("//")[1], f"asyncapi: the server is {server['host']}")
check(openapi["info"]["version"] == version, f"openapi: the version is {openapi['info']['version']}")
check(asyncapi["info"]["version"] == version, f"asyncapi: the version is {asyncapi['info']['version']}")
check_references("openapi", openapi)
check_references("asyncapi", asyncapi)
check_examples("openapi", openapi, jsonschema.Draft202012Validator)
# The schemas of AsyncAPI 3.0 are a superset of JSON Schema draft 7.
check_examples("asyncapi", asyncapi, jsonschema.Draft7Validator)
for problem in problems:
    print(problem)
print(f"{len(openapi['paths'])} paths, {len(asyncapi['channels'])} channels, {len(problems)} problems")
sys.exit(1 if problems else 0)
