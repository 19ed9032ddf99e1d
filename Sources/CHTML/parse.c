#include <ctype.h>
#include <gumbo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "include/chtml.h"

struct chtml_parse {
    arena memory;
    GumboOutput *output;
    const GumboNode *node;  // where the walk is
    bool is_leaving;
    bool gave_doctype;
    char name[256];  // of the element just given, where it had to be put together
};

#ifdef __linux__
// Debian's libgumbo is built with its assertions. One that a page's text breaks must end that parse, not the process. So
// the symbol is ours: for a thread that is inside a parse it leaves it, for all others it does what the C library does.
static _Thread_local arena *parsing;

__attribute__((noreturn)) void __assert_fail(const char *assertion, const char *file, unsigned int line, const char *function) {
    if (parsing != NULL) {
        arena *memory = parsing;
        parsing = NULL;
        longjmp(memory->out, CHTML_PARSER_FAILED);
    }
    fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function != NULL ? function : "?", assertion);
    abort();
}
#define BEGIN_PARSING(memory) (parsing = (memory))
#define END_PARSING() (parsing = NULL)
#else
#define BEGIN_PARSING(memory) ((void)(memory))
#define END_PARSING() ((void)0)
#endif

chtml_parse *chtml_parse_utf8(const char *text, size_t length, size_t memory_limit, uint32_t milliseconds, chtml_status *status) {
    chtml_parse *parse = calloc(1, sizeof *parse);
    if (parse == NULL) {
        *status = CHTML_NO_MEMORY;
        return NULL;
    }
    arena_init(&parse->memory, memory_limit, milliseconds);
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = arena_allocate;
    options.deallocator = arena_release;
    options.userdata = &parse->memory;
    options.max_errors = 0;
    int left = setjmp(parse->memory.out);
    if (left != 0) {
        END_PARSING();
        arena_free(&parse->memory);
        free(parse);
        *status = (chtml_status)left;
        return NULL;
    }
    BEGIN_PARSING(&parse->memory);
    parse->output = gumbo_parse_with_options(&options, text, length);
    END_PARSING();
    parse->node = parse->output->document;
    *status = CHTML_OK;
    return parse;
}

void chtml_parse_free(chtml_parse *parse) {
    if (parse == NULL) return;
    arena_free(&parse->memory);
    free(parse);
}

size_t chtml_parse_memory(const chtml_parse *parse) { return parse->memory.taken; }

int chtml_parse_is_quirky(const chtml_parse *parse) {
    return parse->output->document->v.document.doc_type_quirks_mode == GUMBO_DOCTYPE_QUIRKS;
}

static const GumboVector *children_of(const GumboNode *node) {
    switch (node->type) {
    case GUMBO_NODE_DOCUMENT: return &node->v.document.children;
    case GUMBO_NODE_ELEMENT:
    case GUMBO_NODE_TEMPLATE: return &node->v.element.children;
    default: return &kGumboEmptyVector;
    }
}

static void name_of(chtml_parse *parse, const GumboElement *element, chtml_item *item) {
    const char *known = element->tag == GUMBO_TAG_UNKNOWN ? NULL : gumbo_normalized_tagname(element->tag);
    GumboStringPiece original = element->original_tag;
    if (known != NULL && element->tag_namespace != GUMBO_NAMESPACE_SVG) {
        item->text = known;
        item->length = strlen(known);
        return;
    }
    if (original.data != NULL) gumbo_tag_from_original_text(&original);
    if (original.data == NULL || original.length == 0) {
        item->text = known != NULL ? known : "unknown";
        item->length = strlen(item->text);
        return;
    }
    if (element->tag_namespace == GUMBO_NAMESPACE_SVG) {
        const char *spelled = gumbo_normalize_svg_tagname(&original);
        if (spelled != NULL) {
            item->text = spelled;
            item->length = strlen(spelled);
            return;
        }
    }
    // A longer name is cut: nobody selects by it.
    size_t length = original.length < sizeof parse->name ? original.length : sizeof parse->name;
    for (size_t index = 0; index < length; index += 1) {
        char letter = original.data[index];
        parse->name[index] = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
    }
    item->text = parse->name;
    item->length = length;
}

static void open_element(chtml_parse *parse, const GumboNode *node, chtml_item *item) {
    item->kind = CHTML_OPEN;
    item->name_space = (uint8_t)node->v.element.tag_namespace;
    item->element = &node->v.element;
    item->attributes = node->v.element.attributes.length;
    name_of(parse, &node->v.element, item);
}

static bool give(chtml_parse *parse, const GumboNode *node, chtml_item *item) {
    switch (node->type) {
    case GUMBO_NODE_DOCUMENT: return false;
    case GUMBO_NODE_ELEMENT:
    case GUMBO_NODE_TEMPLATE: open_element(parse, node, item); return true;
    default:
        item->kind = node->type == GUMBO_NODE_COMMENT ? CHTML_COMMENT : CHTML_TEXT;
        item->text = node->v.text.text;
        item->length = strlen(node->v.text.text);
        return true;
    }
}

void chtml_next(chtml_parse *parse, chtml_item *item) {
    *item = (chtml_item){.kind = CHTML_END, .text = ""};
    const GumboDocument *document = &parse->output->document->v.document;
    if (!parse->gave_doctype) {
        parse->gave_doctype = true;
        if (document->has_doctype) {
            item->kind = CHTML_DOCTYPE;
            item->text = document->name;
            item->length = strlen(document->name);
            return;
        }
    }
    while (parse->node != NULL) {
        const GumboNode *node = parse->node;
        const GumboVector *children = children_of(node);
        const GumboNode *next = NULL;
        if (!parse->is_leaving && children->length > 0) {
            next = children->data[0];
        } else if (!parse->is_leaving && (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE)) {
            parse->is_leaving = true;
            item->kind = CHTML_CLOSE;
            return;
        } else {
            const GumboNode *parent = node->parent;
            if (parent == NULL) {
                parse->node = NULL;
                return;
            }
            const GumboVector *siblings = children_of(parent);
            if (node->index_within_parent + 1 < siblings->length) {
                next = siblings->data[node->index_within_parent + 1];
            } else {
                parse->node = parent;
                parse->is_leaving = true;
                if (parent->type != GUMBO_NODE_DOCUMENT) {
                    item->kind = CHTML_CLOSE;
                    return;
                }
                continue;
            }
        }
        parse->node = next;
        parse->is_leaving = false;
        if (give(parse, next, item)) return;
    }
}

void chtml_attribute_at(const chtml_item *item, uint32_t index, chtml_attribute *result) {
    const GumboElement *element = item->element;
    const GumboAttribute *attribute = element->attributes.data[index];
    switch (attribute->attr_namespace) {
    case GUMBO_ATTR_NAMESPACE_XLINK: result->prefix = "xlink:"; break;
    case GUMBO_ATTR_NAMESPACE_XML: result->prefix = "xml:"; break;
    case GUMBO_ATTR_NAMESPACE_XMLNS: result->prefix = strcmp(attribute->name, "xmlns") == 0 ? "" : "xmlns:"; break;
    default: result->prefix = ""; break;
    }
    result->name = attribute->name;
    result->value = attribute->value;
}
