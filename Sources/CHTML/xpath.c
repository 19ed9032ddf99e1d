#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/chtml.h"

struct chtml_tree {
    xmlDocPtr document;
    xmlNodePtr current;  // NULL at the top
    xmlNodePtr *nodes;   // by number
    size_t capacity;
};

// A number of ours in a pointer's place; never NULL.
#define MARK(number) ((void *)(uintptr_t)((uintptr_t)(number) + 1))
#define NUMBER(node) ((uint32_t)((uintptr_t)(node)->_private - 1))

static void silent(void *context, const char *format, ...) {
    (void)context;
    (void)format;
}

chtml_tree *chtml_tree_new(void) {
    chtml_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL) return NULL;
    tree->document = xmlNewDoc(BAD_CAST "1.0");
    if (tree->document == NULL) {
        free(tree);
        return NULL;
    }
    return tree;
}

void chtml_tree_free(chtml_tree *tree) {
    if (tree == NULL) return;
    xmlFreeDoc(tree->document);
    free(tree->nodes);
    free(tree);
}

// xmlAddChild would join neighbouring texts, and ours have numbers.
static int add(chtml_tree *tree, xmlNodePtr node, uint32_t number) {
    if (node == NULL) return 0;
    if (number >= tree->capacity) {
        size_t capacity = tree->capacity == 0 ? 256 : tree->capacity;
        while (capacity <= number) capacity *= 2;
        xmlNodePtr *nodes = realloc(tree->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            xmlFreeNode(node);
            return 0;
        }
        memset(nodes + tree->capacity, 0, (capacity - tree->capacity) * sizeof *nodes);
        tree->nodes = nodes;
        tree->capacity = capacity;
    }
    tree->nodes[number] = node;
    node->_private = MARK(number);
    xmlNodePtr parent = tree->current != NULL ? tree->current : (xmlNodePtr)tree->document;
    node->doc = tree->document;
    node->parent = parent;
    node->prev = parent->last;
    if (parent->last != NULL) {
        parent->last->next = node;
    } else {
        parent->children = node;
    }
    parent->last = node;
    return 1;
}

int chtml_tree_open(chtml_tree *tree, const char *name, uint32_t number) {
    xmlNodePtr node = xmlNewDocNode(tree->document, NULL, BAD_CAST name, NULL);
    if (!add(tree, node, number)) return 0;
    tree->current = node;
    return 1;
}

int chtml_tree_attribute(chtml_tree *tree, const char *name, const char *value) {
    return xmlNewProp(tree->current, BAD_CAST name, BAD_CAST value) != NULL;
}

int chtml_tree_text(chtml_tree *tree, const char *text, size_t length, uint32_t number) {
    return add(tree, xmlNewDocTextLen(tree->document, BAD_CAST text, (int)length), number);
}

int chtml_tree_comment(chtml_tree *tree, const char *text, size_t length, uint32_t number) {
    char *copy = strndup(text, length);
    if (copy == NULL) return 0;
    int added = add(tree, xmlNewDocComment(tree->document, BAD_CAST copy), number);
    free(copy);
    return added;
}

void chtml_tree_close(chtml_tree *tree) {
    xmlNodePtr parent = tree->current->parent;
    tree->current = parent == (xmlNodePtr)tree->document ? NULL : parent;
}

// libxml2 gives a number and a place, no words.
static const char *words_for(int code) {
    switch (code - XML_XPATH_EXPRESSION_OK) {
    case XPATH_NUMBER_ERROR: return "a number is expected";
    case XPATH_UNFINISHED_LITERAL_ERROR: return "the quotation mark is not closed";
    case XPATH_START_LITERAL_ERROR: return "a text in quotes is expected";
    case XPATH_VARIABLE_REF_ERROR: return "a variable's name is expected";
    case XPATH_UNDEF_VARIABLE_ERROR: return "there are no variables";
    case XPATH_INVALID_PREDICATE_ERROR: return "']' is expected";
    case XPATH_UNCLOSED_ERROR: return "')' is expected";
    case XPATH_UNKNOWN_FUNC_ERROR: return "there is no such function";
    case XPATH_INVALID_OPERAND:
    case XPATH_INVALID_TYPE: return "a value of another type is expected";
    case XPATH_INVALID_ARITY: return "a function has too few or too many arguments";
    case XPATH_MEMORY_ERROR: return "there is no memory for it";
    case XPATH_UNDEF_PREFIX_ERROR: return "there are no namespaces";
    case XPATH_ENCODING_ERROR:
    case XPATH_INVALID_CHAR_ERROR: return "a character that XPath does not have";
    case XPATH_OP_LIMIT_EXCEEDED: return "it takes more work than the limit";
    case XPATH_RECURSION_LIMIT_EXCEEDED: return "it is nested too deeply";
    default: return "it is no XPath expression";
    }
}

static void remember(void *context, xmlErrorPtr error) {
    chtml_value *value = context;
    if (value->message[0] != 0 || error == NULL) return;
    value->position = error->int1;
    snprintf(value->message, sizeof value->message, "%s", words_for(error->code));
}

static xmlXPathContextPtr context_for(xmlDocPtr document, chtml_value *value) {
    xmlSetGenericErrorFunc(NULL, silent);
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    if (context == NULL) return NULL;
    context->userData = value;
    context->error = remember;
    return context;
}

static int collect(const xmlNodeSet *set, chtml_value *value) {
    size_t count = set == NULL ? 0 : (size_t)set->nodeNr;
    value->kind = CHTML_NODES;
    if (count == 0) return 1;
    value->nodes = calloc(count, sizeof *value->nodes);
    if (value->nodes == NULL) return 0;
    for (size_t index = 0; index < count; index += 1) {
        xmlNodePtr node = set->nodeTab[index];
        chtml_found *found = &value->nodes[value->count];
        switch (node->type) {
        case XML_ATTRIBUTE_NODE:
            found->number = NUMBER(node->parent);
            found->attribute = (const char *)node->name;
            break;
        case XML_DOCUMENT_NODE: found->number = UINT32_MAX; break;
        case XML_NAMESPACE_DECL: continue;
        default: found->number = NUMBER(node); break;
        }
        value->count += 1;
    }
    return 1;
}

void chtml_evaluate(chtml_tree *tree, const char *expression, uint32_t start, unsigned long operations, chtml_value *value) {
    memset(value, 0, sizeof *value);
    value->kind = CHTML_FAILED;
    xmlXPathContextPtr context = context_for(tree->document, value);
    if (context == NULL) return;
    context->opLimit = operations;
    context->node = start < tree->capacity && tree->nodes[start] != NULL ? tree->nodes[start] : (xmlNodePtr)tree->document;
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, BAD_CAST expression);
    if (compiled == NULL) {
        value->is_syntax = 1;
    } else {
        xmlXPathObjectPtr result = xmlXPathCompiledEval(compiled, context);
        if (result != NULL) {
            switch (result->type) {
            case XPATH_NODESET:
                if (result->nodesetval != NULL) xmlXPathNodeSetSort(result->nodesetval);
                if (!collect(result->nodesetval, value)) value->kind = CHTML_FAILED;
                break;
            case XPATH_STRING:
                value->string = strdup((const char *)result->stringval);
                if (value->string != NULL) value->kind = CHTML_STRING;
                break;
            case XPATH_NUMBER:
                value->kind = CHTML_NUMBER;
                value->number = result->floatval;
                break;
            case XPATH_BOOLEAN:
                value->kind = CHTML_BOOLEAN;
                value->boolean = result->boolval;
                break;
            default: break;
            }
            xmlXPathFreeObject(result);
        }
        xmlXPathFreeCompExpr(compiled);
    }
    xmlXPathFreeContext(context);
}

void chtml_value_free(chtml_value *value) {
    free(value->nodes);
    free(value->string);
}

void chtml_check(const char *expression, chtml_value *value) {
    memset(value, 0, sizeof *value);
    value->kind = CHTML_FAILED;
    xmlXPathContextPtr context = context_for(NULL, value);
    if (context == NULL) return;
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, BAD_CAST expression);
    if (compiled != NULL) {
        value->kind = CHTML_BOOLEAN;
        xmlXPathFreeCompExpr(compiled);
    } else {
        value->is_syntax = 1;
    }
    xmlXPathFreeContext(context);
}
