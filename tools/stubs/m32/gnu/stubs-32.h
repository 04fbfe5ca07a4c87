/* Stands for the header of a 32-bit glibc: make m32 compiles and does not link. */
