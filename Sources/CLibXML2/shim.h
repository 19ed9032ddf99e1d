// Only the flags of libxml2 are wanted here. Its headers bring ICU's, which clash with Foundation's own, so that CHTML
// includes them and Swift never sees them.
