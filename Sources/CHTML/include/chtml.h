#ifndef TIDINGS_CHTML_H
#define TIDINGS_CHTML_H

// libgumbo's HTML5 parser and libxml2's XPath, with every type of theirs hidden.

#include <stddef.h>
#include <stdint.h>

// MARK: Parsing

typedef struct chtml_parse chtml_parse;

typedef enum {
    CHTML_OK = 0,
    CHTML_NO_MEMORY = 1,      // the tree wants more than the limit
    CHTML_TOO_SLOW = 2,       // the processor time is used up
    CHTML_PARSER_FAILED = 3,  // an assertion of the parser's own
} chtml_status;

// Parses UTF-8. Only `memory_limit` bytes are ever taken, and about `milliseconds` of processor time, so that no page can
// exhaust the process. The text must stay where it is until chtml_parse_free. NULL unless the status is CHTML_OK.
chtml_parse *chtml_parse_utf8(const char *text, size_t length, size_t memory_limit, uint32_t milliseconds, chtml_status *status);
void chtml_parse_free(chtml_parse *parse);
// Bytes taken from the system.
size_t chtml_parse_memory(const chtml_parse *parse);
// Whether the page is to be read in quirks mode (not limited quirks).
int chtml_parse_is_quirky(const chtml_parse *parse);

typedef enum {
    CHTML_END = 0,      // of the document
    CHTML_OPEN = 1,     // an element begins
    CHTML_CLOSE = 2,    // it ends
    CHTML_TEXT = 3,
    CHTML_COMMENT = 4,
    CHTML_DOCTYPE = 5,
} chtml_kind;

typedef struct {
    chtml_kind kind;
    uint8_t name_space;  // 0 HTML, 1 SVG, 2 MathML
    const char *text;    // the element's name, the text, the doctype's name; not terminated
    size_t length;
    uint32_t attributes;
    const void *element;
} chtml_item;

typedef struct {
    const char *prefix;  // "xlink:" and so on, or ""
    const char *name;
    const char *value;   // these three are terminated
} chtml_attribute;

// The next part of the tree, in document order; without recursion, however deep it is.
void chtml_next(chtml_parse *parse, chtml_item *item);
void chtml_attribute_at(const chtml_item *item, uint32_t index, chtml_attribute *attribute);

// MARK: XPath

typedef struct chtml_tree chtml_tree;

// A tree for XPath, built from the same nodes in document order; a number of the caller's stands for each of them.
// NULL or 0 where there is no memory.
chtml_tree *chtml_tree_new(void);
void chtml_tree_free(chtml_tree *tree);
int chtml_tree_open(chtml_tree *tree, const char *name, uint32_t number);
int chtml_tree_attribute(chtml_tree *tree, const char *name, const char *value);
int chtml_tree_text(chtml_tree *tree, const char *text, size_t length, uint32_t number);
int chtml_tree_comment(chtml_tree *tree, const char *text, size_t length, uint32_t number);
void chtml_tree_close(chtml_tree *tree);

typedef enum { CHTML_NODES = 0, CHTML_STRING = 1, CHTML_NUMBER = 2, CHTML_BOOLEAN = 3, CHTML_FAILED = 4 } chtml_value_kind;

typedef struct {
    uint32_t number;        // of the node, or of the attribute's element; UINT32_MAX is the document itself
    const char *attribute;  // NULL unless it is an attribute; lives as long as the tree
} chtml_found;

typedef struct {
    chtml_value_kind kind;
    chtml_found *nodes;  // in document order
    size_t count;
    char *string;
    double number;
    int boolean;
    char message[256];   // of what failed
    int is_syntax;       // whether the expression itself is at fault
    int position;        // in bytes, of where it is
} chtml_value;

// Evaluates an expression; `context` is the number of the node to start from, UINT32_MAX for the document. At most
// `operations` steps of work. Not for two threads at a time.
void chtml_evaluate(chtml_tree *tree, const char *expression, uint32_t context, unsigned long operations, chtml_value *value);
void chtml_value_free(chtml_value *value);

// Compiles an expression only: the kind is CHTML_FAILED where it cannot be.
void chtml_check(const char *expression, chtml_value *value);

#endif
