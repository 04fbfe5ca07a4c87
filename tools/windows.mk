# The client for Windows, cross-built by mingw-w64, and its specs under wine: docs/hosts.md. Included by the
# Makefile.

WINDOWS := build/windows
WINDOWS_CC := x86_64-w64-mingw32-gcc-posix
WINDOWS_SOURCES := $(WINDOWS)/sources
WINDOWS_LIB := $(WINDOWS)/lib
WINDOWS_FILES := $(WINDOWS)/datasession
WINDOWS_ZIP := $(WINDOWS)/datasession-windows.zip
WINDOWS_LUA := $(WINDOWS_SOURCES)/lua5.4/src
in_windows = $(addprefix $(WINDOWS_FILES)/,$(1))

### Build

## windows: the client for Windows, in build/windows/datasession-windows.zip, by mingw-w64
windows: $(WINDOWS_ZIP)
	@echo "$<"

$(WINDOWS_SOURCES)/complete: tools/debian-sources.sh
	@echo "  sources of Lua, lua-cjson and libcurl"
	$(Q)tools/debian-sources.sh $(WINDOWS_SOURCES) lua5.4 lua-cjson curl
	@touch $@

# Files of libcurl in which nothing is left with HTTP and Schannel alone.
NOT_HTTP := vssh/% vquic/curl_% vquic/msh3.c $(patsubst %,vtls/%.c,bearssl gskit gtls mbedtls \
  mbedtls_threadlock nss openssl rustls sectransp wolfssl) $(addsuffix .c,curl_fnmatch curl_range curl_rtmp \
  curl_sasl dict file fileinfo ftp ftplistparser gopher imap krb5 ldap mqtt openldap pingpong pop3 rtsp smb \
  smtp telnet tftp wildcard)
CURL_FILES := $$(filter-out $(NOT_HTTP),$$(LIB_CFILES) $$(LIB_VAUTH_CFILES) $$(LIB_VTLS_CFILES) \
  $$(LIB_VQUIC_CFILES))

$(WINDOWS_LIB)/libcurl.a: $(WINDOWS_SOURCES)/complete tools/windows-curl.mk
	@echo "  libcurl"
	@mkdir -p $(@D) $(WINDOWS_SOURCES)/curl/lib/x86_64-w64-mingw32
	$(Q)CFLAGS=-O2 CPPFLAGS='-DHTTP_ONLY -D_WIN32_WINNT=0x0601 -DWIN32_LEAN_AND_MEAN' MAKEFLAGS= \
	  $(MAKE) -s -j2 -C $(WINDOWS_SOURCES)/curl/lib -f Makefile.mk -f $(CURDIR)/tools/windows-curl.mk libcurl.a \
	  'CSOURCES=$(CURL_FILES)' CC=$(WINDOWS_CC) AR=x86_64-w64-mingw32-ar TRIPLET=x86_64-w64-mingw32 \
	  CFG=-schannel-sspi-ipv6-unicode-zlib ZLIB_PATH=/usr/x86_64-w64-mingw32 >$(WINDOWS)/libcurl.log 2>&1 || \
	  { cat $(WINDOWS)/libcurl.log; exit 1; }
	@cp $(WINDOWS_SOURCES)/curl/lib/libcurl.a $@

$(call in_windows,lua54.dll): $(WINDOWS_SOURCES)/complete
	@echo "  Lua"
	@mkdir -p $(@D) $(WINDOWS_LIB)
	$(Q)cd $(WINDOWS_LUA) && $(WINDOWS_CC) -O2 -std=gnu99 -s -static-libgcc -shared -DLUA_BUILD_AS_DLL \
	  -Wl,--out-implib,$(CURDIR)/$(WINDOWS_LIB)/liblua.dll.a -o $(CURDIR)/$@ \
	  $$(ls l*.c | grep -vx -e lua.c -e luac.c)

$(call in_windows,lua.exe): $(call in_windows,lua54.dll)
	$(Q)$(WINDOWS_CC) -O2 -s -static-libgcc -DLUA_BUILD_AS_DLL -o $@ $(WINDOWS_LUA)/lua.c \
	  $(WINDOWS_LIB)/liblua.dll.a

$(call in_windows,cjson.dll): $(call in_windows,lua54.dll)
	@echo "  lua-cjson"
	$(Q)cd $(WINDOWS_SOURCES)/lua-cjson && $(WINDOWS_CC) -O2 -DNDEBUG -s -static-libgcc -shared \
	  -Wl,--export-all-symbols -I$(CURDIR)/$(WINDOWS_LUA) -o $(CURDIR)/$@ lua_cjson.c strbuf.c fpconv.c \
	  $(CURDIR)/$(WINDOWS_LIB)/liblua.dll.a

# From one file, since each file costs Windows' headers.
$(WINDOWS)/client.c: $(CORE_SRC) $(wildcard csrc/*/*.h csrc/*/*/*.h) tools/amalgamate.lua
	@mkdir -p $(@D)
	$(Q)$(LUA) tools/amalgamate.lua /dev/null $(CORE_SRC) >$@

$(call in_windows,datasession.dll): $(WINDOWS)/client.c $(WINDOWS_LIB)/libcurl.a $(call in_windows,lua54.dll)
	@echo "  cc $<"
	$(Q)$(WINDOWS_CC) -std=c11 $(CFLAGS) $(WARNINGS) -Wno-float-conversion -D_FILE_OFFSET_BITS=64 \
	  -shared -static -s -DCURL_STATICLIB -D_WIN32_WINNT=0x0601 -I$(WINDOWS_SOURCES)/curl/include \
	  -I$(WINDOWS_LUA) -o $@ $< \
	  $(WINDOWS_LIB)/libcurl.a -lz -lcrypt32 $(WINDOWS_LIB)/liblua.dll.a -lws2_32 -lbcrypt -ladvapi32

$(WINDOWS_ZIP): $(call in_windows,datasession.dll lua.exe cjson.dll) packaging/windows/README.txt $(LUA_SRC)
	@echo "  zip $@"
	@rm -rf $@ $(call in_windows,lua licenses)
	@mkdir -p $(call in_windows,licenses)
	@cp packaging/windows/README.txt $(WINDOWS_FILES)
	@cp LICENSE $(call in_windows,licenses/datasession)
	@cp $(WINDOWS_SOURCES)/lua5.4/debian/copyright $(call in_windows,licenses/lua)
	@cp $(WINDOWS_SOURCES)/lua-cjson/LICENSE $(call in_windows,licenses/lua-cjson)
	@cp $(WINDOWS_SOURCES)/curl/COPYING $(call in_windows,licenses/curl)
	@set -e; for file in $(filter-out lua/datasession/sandbox% lua/datasession/command%,$(LUA_SRC)); do \
	  mkdir -p "$(WINDOWS_FILES)/$$(dirname $$file)"; cp "$$file" "$(WINDOWS_FILES)/$$file"; done
	@cd $(WINDOWS) && zip -q -r $(@F) datasession

### Test

WINDOWS_SPECS ?= spec/suites/windows/files.lua $(sort $(shell find \
  $(addprefix spec/,session catalog protocol runtime store data) -name '*_spec.lua'))

$(WINDOWS)/specs/peer.dll: spec/suites/windows/peer.c $(call in_windows,lua54.dll)
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(WINDOWS_CC) -std=c11 -O2 -Wall -Wextra -Werror -s -static-libgcc -shared -I$(WINDOWS_LUA) -o $@ $< \
	  $(WINDOWS_LIB)/liblua.dll.a -lws2_32

## test-windows: WINDOWS_SPECS with that client under wine, against sandboxes of this system
test-windows: all $(FAULTS) windows $(WINDOWS)/specs/peer.dll
	@SANDBOX_BUILD=$(BUILD) LUA=$(LUA) spec/suites/windows/run.sh $(WINDOWS) $(WINDOWS_SPECS)

.PHONY: windows test-windows
