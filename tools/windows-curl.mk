# libcurl's Makefile.mk is read before this file: tools/windows.mk.
curl_setup.h.gch: curl_setup.h
	$(CC) -W -Wall $(CFLAGS) $(CPPFLAGS) -x c-header $< -o $@

$(libcurl_a_OBJECTS): curl_setup.h.gch
