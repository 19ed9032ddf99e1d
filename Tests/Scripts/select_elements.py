"""What lexbor finds: reads {"pages": [...], "selectors": [...]} from a file and writes, for each page, the names of all
its elements in document order and for each selector the places of what it finds, or null where it is refused."""

import json
import sys

from selectolax.lexbor import LexborHTMLParser

request = json.load(open(sys.argv[1], encoding="utf-8"))
answer = []
for page in request["pages"]:
    tree = LexborHTMLParser(page)
    elements = tree.css("*")
    places = {element.mem_id: place for place, element in enumerate(elements)}
    found = []
    for selector in request["selectors"]:
        try:
            found.append(sorted({places[element.mem_id] for element in tree.css(selector)}))
        except Exception:
            found.append(None)
    answer.append({"names": [element.tag for element in elements], "found": found})
json.dump(answer, open(sys.argv[2], "w", encoding="utf-8"))
