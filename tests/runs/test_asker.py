"""For whom a run was accepted, as it is kept: what an older server has written is read as well."""

from dataclasses import replace

import msgspec

from famulus.identity.principal import Principal
from famulus.runs.work import Asker, decode_asker, encode_asker

ADA = Principal("usr_1", "Ada", "ada@famulus.local", role="student", organization_id="org_1")


def test_scopes_are_kept() -> None:
    for scopes in (None, frozenset[str](), frozenset({"read", "chat"})):
        asker = Asker(replace(ADA, scopes=scopes, session_id=None), "ast_1", "crs_1")
        assert decode_asker(encode_asker(asker)) == asker


def test_rows_without_scopes_are_of_somebody_who_has_signed_in() -> None:
    row = msgspec.json.decode(encode_asker(Asker(ADA, "ast_1")))
    for name in ("scopes", "email_verified", "locale"):
        del row["principal"][name]

    assert decode_asker(msgspec.json.encode(row)).principal.scopes is None
