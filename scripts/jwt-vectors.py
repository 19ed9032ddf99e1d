#!/usr/bin/env python3
"""Makes Tests/TidingsGatewayTests/Access/JWTVectors.swift: tokens by an implementation that is not ours (PyPI joserfc).

    pip install joserfc && scripts/jwt-vectors.py > Tests/TidingsGatewayTests/Access/JWTVectors.swift

The keys are made for this and used nowhere else.
"""
import base64
import json

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

START = 1_800_000_000  # what the tests take for now
keys = {
    "HS256": OctKey.generate_key(256, {"kid": "hs", "use": "sig", "alg": "HS256"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "es", "use": "sig", "alg": "ES256"}),
    "RS256": RSAKey.generate_key(2048, {"kid": "rs", "use": "sig"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig", "alg": "EdDSA"}),
}
stranger = ECKey.generate_key("P-256", {"kid": "es"})
registry = jws.JWSRegistry(algorithms=list(keys))
good = {"sub": "collector", "aud": "tidings", "scope": "read publish", "iat": START - 10, "nbf": START - 10,
        "exp": START + 3600}


def public(key):
    return key.as_dict(private=isinstance(key, OctKey))


def sign(algorithm, claims=None, header=None, key=None):
    head = {"alg": algorithm, "kid": keys[algorithm].kid, "typ": "JWT"}
    head.update(header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, {**good, **(claims or {})}, key or keys[algorithm], registry=registry,
                      algorithms=list(keys))


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


tokens = {}
for algorithm in keys:
    tokens[f"{algorithm} good"] = sign(algorithm)
    tokens[f"{algorithm} expired"] = sign(algorithm, {"exp": START - 1})
    tokens[f"{algorithm} early"] = sign(algorithm, {"nbf": START + 60})
    tokens[f"{algorithm} other audience"] = sign(algorithm, {"aud": "others"})
    tokens[f"{algorithm} no kid"] = sign(algorithm, header={"kid": None})
    head, body, signature = sign(algorithm).split(".")
    forged = part({**good, "scope": "read publish admin"})
    tokens[f"{algorithm} changed"] = f"{head}.{forged}.{signature}"
tokens["restricted"] = sign("ES256", {"scope": ["read", "openid"], "types": ["trade", "login.*"],
                                      "symbols": ["btc-usd"], "aud": ["others", "tidings"]})
tokens["wrong key"] = sign("ES256", key=stranger)
tokens["unknown kid"] = sign("ES256", header={"kid": "zz"})
tokens["algorithm of another key"] = sign("HS256", header={"kid": "es"})
# The public key, which everybody has, taken for an HMAC secret: as PEM and as the bytes of its JWK.
for name in ["RS256", "ES256"]:
    pem = keys[name].as_pem(private=False)
    tokens[f"{name} public key as secret"] = jwt.encode(
        {"alg": "HS256", "kid": keys[name].kid}, good, OctKey.import_key(pem), registry=registry, algorithms=["HS256"])
tokens["none"] = f"{part({'alg': 'none'})}.{part(good)}."
tokens["none with kid"] = f"{part({'alg': 'none', 'kid': 'es'})}.{part(good)}."
tokens["none, capitals"] = f"{part({'alg': 'NoNe', 'kid': 'es'})}.{part(good)}."
head, body, _ = tokens["ES256 good"].split(".")
tokens["no signature"] = f"{head}.{body}."

print("// Made by scripts/jwt-vectors.py with joserfc; the keys are used nowhere else.\n")
print("enum JWTVectors {")
print(f"    /// When the tokens are good, in seconds since 1970.\n    static let now: Int64 = {START}")
print('    static let keys = #"' + json.dumps({"keys": [public(key) for key in keys.values()]}) + '"#')
print("    static let key: [String: String] = [")
for name, key in keys.items():
    print(f'        "{name}": #"' + json.dumps(public(key)) + '"#,')
print("    ]")
print("    static let tokens: [String: String] = [")
for name, token in tokens.items():
    print(f'        "{name}":\n            "{token}",')
print("    ]\n}")
