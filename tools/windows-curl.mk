# libcurl's Makefile.mk is read before this file: tools/windows.mk. Most of a file's time is Windows' headers,
# so curl_setup.h, with which each file begins, is compiled first.
curl_setup.h.gch: curl_setup.h
	$(CC) -W -Wall $(CFLAGS) $(CPPFLAGS) -x c-header $< -o $@

$(libcurl_a_OBJECTS): curl_setup.h.gch
