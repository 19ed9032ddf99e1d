"""What JSON Schema cannot say of our limits, for schemathesis (SCHEMATHESIS_HOOKS).

Names have 128 bytes at most, and `maxLength` counts characters: a name between the two is not sent.
"""

import schemathesis

LIMITED = {
    "event_id", "id", "source", "correlation_id", "correlationid", "parent_event_id", "parenteventid", "after",
}


def fits(value):
    if isinstance(value, list):
        return all(fits(item) for item in value)
    if not isinstance(value, dict):
        return True
    return all(
        len(text) > 128 or len(text.encode("utf-8", "surrogatepass")) <= 128
        for key, text in value.items()
        if key in LIMITED and isinstance(text, str)
    )


@schemathesis.hook
def filter_body(context, body):
    return fits(body)


@schemathesis.hook
def filter_query(context, query):
    return fits(query)


@schemathesis.hook
def filter_path_parameters(context, path_parameters):
    return fits(path_parameters)
