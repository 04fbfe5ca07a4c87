/*
** A new file is written under a temporary name and moved over the old one. Its access list lets its user, the
** system and the administrators in. The owner of a file that is read must be the user or, as for what a
** program with the administrators' rights makes, that group.
*/
#include "store/private_file.h"

#ifdef _WIN32

#include "net/system.h"

#include <errno.h>
#include <stdio.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#define NEW_PREFIX ".new-"
#define OWNER_ALONE "D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

enum { TRIES = 100, PATIENCE_MILLISECONDS = 2000, PAUSE_MILLISECONDS = 1, SWEEP_AFTER_SECONDS = 60 };

const char *private_reason (int code) {
  switch (code) {
  case PRIVATE_NOT_DIRECTORY: return "is not a directory";
  case PRIVATE_NOT_REGULAR: return "is not a regular file";
  case PRIVATE_OTHERS_USE: return "belongs to another user: it is not read";
  default: return strerror(code);
  }
}

/* The access list of new files and directories. NULL: out of memory, and the directory's list counts. */
static PSECURITY_DESCRIPTOR new_access (SECURITY_ATTRIBUTES *attributes) {
  PSECURITY_DESCRIPTOR list = NULL;
  ConvertStringSecurityDescriptorToSecurityDescriptorA(OWNER_ALONE, SDDL_REVISION_1, &list, NULL);
  *attributes = (SECURITY_ATTRIBUTES){sizeof *attributes, list, FALSE};
  return list;
}

/* Directories */

static int make_one (const wchar_t *path) {
  SECURITY_ATTRIBUTES attributes;
  PSECURITY_DESCRIPTOR list = new_access(&attributes);
  int code = CreateDirectoryW(path, &attributes) ? 0 : system_errno();
  LocalFree(list);
  return code == EEXIST ? 0 : code;
}

static int check_directory (const wchar_t *path) {
  DWORD is = GetFileAttributesW(path);
  if (is == INVALID_FILE_ATTRIBUTES) return system_errno();
  return is & FILE_ATTRIBUTE_DIRECTORY ? 0 : PRIVATE_NOT_DIRECTORY;
}

int private_directory_make (char *path) {
  wchar_t wide[SYSTEM_LONGEST_PATH], *at;
  int code;
  if (!system_wide_path(path, wide)) return EINVAL;
  code = check_directory(wide);
  if (code != ENOENT) return code;
  for (at = wide + 1; *at; at++) {
    wchar_t slash = *at;
    if (slash != L'/' && slash != L'\\') continue;
    *at = 0;
    make_one(wide); /* making the last one shows whether this worked */
    *at = slash;
  }
  code = make_one(wide);
  return code ? code : check_directory(wide);
}

/* MoveFileEx has written the names through. */
void private_directory_sync (const char *path) {
  (void)path;
}

static bool is_old (const FILETIME *written) {
  ULARGE_INTEGER then = {.LowPart = written->dwLowDateTime, .HighPart = written->dwHighDateTime}, now;
  FILETIME time;
  GetSystemTimeAsFileTime(&time);
  now.LowPart = time.dwLowDateTime;
  now.HighPart = time.dwHighDateTime;
  return now.QuadPart > then.QuadPart + SWEEP_AFTER_SECONDS * 10000000ull;
}

/* The path of `name` beside the last slash of `path`. False: too long. */
static bool put_beside (wchar_t into[SYSTEM_LONGEST_PATH], const wchar_t *path, const wchar_t *name) {
  const wchar_t *slash = wcsrchr(path, L'/');
  size_t length = slash ? (size_t)(slash - path) + 1 : 0;
  if (length + wcslen(name) >= SYSTEM_LONGEST_PATH) return false;
  wmemcpy(into, path, length);
  wcscpy(into + length, name);
  return true;
}

void private_directory_sweep (const char *path) {
  wchar_t wide[SYSTEM_LONGEST_PATH], name[SYSTEM_LONGEST_PATH];
  WIN32_FIND_DATAW found;
  HANDLE all;
  if (!system_wide_path(path, name) || wcslen(name) + 8 >= SYSTEM_LONGEST_PATH) return;
  wcscpy(wide, name);
  wcscat(wide, L"/.new-*");
  all = FindFirstFileW(wide, &found);
  if (all == INVALID_HANDLE_VALUE) return;
  do
    if (is_old(&found.ftLastWriteTime) && put_beside(name, wide, found.cFileName)) DeleteFileW(name);
  while (FindNextFileW(all, &found));
  FindClose(all);
}

/* Files */

static HANDLE create_new (const wchar_t *path, wchar_t name[SYSTEM_LONGEST_PATH]) {
  SECURITY_ATTRIBUTES attributes;
  PSECURITY_DESCRIPTOR list = new_access(&attributes);
  HANDLE file = INVALID_HANDLE_VALUE;
  int i;
  for (i = 0; i < TRIES && file == INVALID_HANDLE_VALUE; i++) {
    wchar_t own[32];
    unsigned noise = 0;
    getentropy(&noise, sizeof noise);
    swprintf(own, sizeof own / sizeof *own, L".new-%08x", noise);
    if (!put_beside(name, path, own)) break;
    file = CreateFileW(name, GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE && GetLastError() != ERROR_FILE_EXISTS) break;
  }
  LocalFree(list);
  return file;
}

static int write_all (HANDLE file, const char *text, size_t size) {
  while (size) {
    DWORD n, most = size < (1u << 30) ? (DWORD)size : 1u << 30;
    if (!WriteFile(file, text, most, &n, NULL)) return system_errno();
    text += n;
    size -= n;
  }
  return FlushFileBuffers(file) ? 0 : system_errno();
}

/* A reader in another process can hold the old file for a moment; one that reads without a pause, most of the
   time. */
static int take_place (const wchar_t *name, const wchar_t *path) {
  ULONGLONG end = GetTickCount64() + PATIENCE_MILLISECONDS;
  for (;;) {
    int code =
        MoveFileExW(name, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) ? 0 : system_errno();
    if (code != EACCES || GetTickCount64() >= end) return code;
    Sleep(PAUSE_MILLISECONDS);
  }
}

int private_file_replace (const char *path, const void *text, size_t size) {
  wchar_t wide[SYSTEM_LONGEST_PATH], name[SYSTEM_LONGEST_PATH];
  HANDLE file;
  int code;
  if (!system_wide_path(path, wide)) return EINVAL;
  file = create_new(wide, name);
  if (file == INVALID_HANDLE_VALUE) return system_errno();
  code = write_all(file, text, size);
  if (!CloseHandle(file) && !code) code = system_errno();
  if (!code) code = take_place(name, wide);
  if (code) DeleteFileW(name);
  return code;
}

int private_file_remove (const char *path) {
  wchar_t wide[SYSTEM_LONGEST_PATH];
  int code;
  if (!system_wide_path(path, wide)) return EINVAL;
  code = DeleteFileW(wide) ? 0 : system_errno();
  return code == ENOENT ? 0 : code;
}

/* True if the process's user, or the group of administrators that the user is in, owns the open file. */
static bool is_ours (HANDLE file) {
  PSECURITY_DESCRIPTOR about = NULL;
  PSID owner = NULL;
  HANDLE token = NULL;
  union {
    TOKEN_OWNER owner;
    TOKEN_USER user;
    char room[512];
  } who;
  DWORD size;
  bool ours = false;
  if (GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &about))
    return false;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
    ours =
        GetTokenInformation(token, TokenUser, &who, sizeof who, &size) && EqualSid(owner, who.user.User.Sid);
    ours = ours || (GetTokenInformation(token, TokenOwner, &who, sizeof who, &size) &&
                    EqualSid(owner, who.owner.Owner));
    CloseHandle(token);
  }
  LocalFree(about);
  return ours;
}

/* The reason not to trust the open file; 0: none. */
static int distrust (HANDLE file, size_t *size) {
  enum { STRANGE = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DEVICE };
  BY_HANDLE_FILE_INFORMATION about;
  if (GetFileType(file) != FILE_TYPE_DISK) return PRIVATE_NOT_REGULAR;
  if (!GetFileInformationByHandle(file, &about)) return system_errno();
  if (about.dwFileAttributes & STRANGE) return PRIVATE_NOT_REGULAR;
  *size = (size_t)about.nFileSizeHigh << 32 | about.nFileSizeLow;
  return is_ours(file) ? 0 : PRIVATE_OTHERS_USE;
}

static int read_all (HANDLE file, char *into, size_t size, size_t *length) {
  DWORD n = 1;
  *length = 0;
  while (n && *length < size) {
    size_t left = size - *length;
    if (!ReadFile(file, into + *length, left < (1u << 30) ? (DWORD)left : 1u << 30, &n, NULL))
      return system_errno();
    *length += n;
  }
  return 0;
}

int private_file_read (const char *path, void *into, size_t size, size_t *length) {
  const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const DWORD how = FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS; /* opens directories, too */
  wchar_t wide[SYSTEM_LONGEST_PATH];
  HANDLE file;
  size_t all = 0;
  int code;
  if (!system_wide_path(path, wide)) return EINVAL;
  file = CreateFileW(wide, GENERIC_READ | READ_CONTROL, shared, NULL, OPEN_EXISTING, how, NULL);
  if (file == INVALID_HANDLE_VALUE) return system_errno();
  code = distrust(file, &all);
  if (!code && all > size)
    *length = all;
  else if (!code)
    code = read_all(file, into, size, length);
  CloseHandle(file);
  return code;
}

#else

typedef int private_file_windows_is_not_used; /* ISO C forbids an empty translation unit */

#endif
