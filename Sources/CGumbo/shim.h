// Only the flags of libgumbo are wanted here; CHTML includes its headers, out of Swift's sight.
