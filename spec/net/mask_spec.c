/* mask_spec: secrets in texts of HTTP messages. Each row: the text, and what is left of it. */
#include "check.h"
#include "groups.h"
#include "net/mask.h"

#include <stdio.h>
#include <string.h>

typedef bool masking (struct mask *m, struct buffer *to, const char *text, size_t length);

struct row {
  const char *text, *left; /* NULL: the text itself */
};

static void check_row (masking *mask, const struct row *row) {
  struct mask m;
  struct buffer to;
  const char *left = row->left ? row->left : row->text;
  mask_init(&m, &checked_memory);
  buffer_init(&to, &checked_memory, 100000);
  CHECK(mask(&m, &to, row->text, strlen(row->text)));
  if (!CHECK(to.data && strcmp(to.data, left) == 0)) printf("  %s\n", to.data ? to.data : "nothing");
  buffer_cleanup(&to);
  mask_cleanup(&m);
}

#define CHECK_ROWS(mask, rows)                                                                               \
  for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)                                                 \
  check_row(mask, &(rows)[i])

void uris_are_masked (void) {
  static const struct row rows[] = {
      {"http://h/a?b=c#d", NULL},
      {"http://user:pa@host/a;jsessionid=12345/b;x=y?c=1&token=abcdef&d=abcdef#f",
       "http://***@host/a;jsessionid=***/b;x=***?c=1&token=***&d=***#f"},
      {"/a?j%5Fpassword=sec+ret%20x;y,z&n=1", "/a?j%5Fpassword=***&n=1"},
      {"/a;x=1;jsessionid=2", "/a;x=***;jsessionid=***"},
      {"/a;v1/orders;v2;x=3?b=c", "/a;v1/orders;v2;x=***?b=c"},
      {"/a;v1", NULL},
      {"/a?sid=1&token_type=x&pin=2&spin=3", "/a?sid=***&token_type=x&pin=***&spin=3"},
      {"/a?sig=a%2Bb&X-Amz-Signature=77&design=1", "/a?sig=***&X-Amz-Signature=***&design=1"},
      {"/a?user[password]=b;c&tokens[]=d&tokens[0][x]=e&a[token=f&token[g",
       "/a?user[password]=***&tokens[]=***&"
       "tokens[0][x]=***&a[token=***&token[g"},
      {"/a?code=1&key=2+3&keys=4&zip_code=5#code=6", "/a?code=***&key=***&keys=4&zip_code=5#code=***"},
      {"/code=1/a?b=code", NULL},
      {"/a?password", NULL},
      {"/a?password=", NULL},
  };
  CHECK_ROWS(mask_uri, rows);
}

void headers_are_masked (void) {
  static const struct row rows[] = {
      {"GET /a;jsessionid=77/b?access_token=zzz HTTP/1.1",
       "GET /a;jsessionid=***/b?access_token=*** HTTP/1.1"},
      {"HTTP/1.1 200 OK", NULL},
      {"Authorization: Basic bHVhOnNlY3JldA==", "Authorization: Basic ***"},
      {"Authorization: bHVhOnNlY3JldA==", "Authorization: ***"},
      {"proxy-authorization: Digest a=\"b\", c=d", "proxy-authorization: Digest ***"},
      {"Cookie: JSESSIONID=abc; other=d=f; bare", "Cookie: JSESSIONID=***; other=***; ***"},
      {"Set-Cookie: SID=abc; Path=/; HttpOnly", "Set-Cookie: SID=***; Path=/; HttpOnly"},
      {"Set-Cookie: bare; Path=/", "Set-Cookie: ***; Path=/"},
      {"Ocp-Apim-Subscription-Key: foo", "Ocp-Apim-Subscription-Key: ***"},
      {"Pragma: dssession=1.2,dssessionexpires=1200000", "Pragma: dssession=***,dssessionexpires=1200000"},
      {"X-CLIENT-CONTEXT-ID: abcdef", "X-CLIENT-CONTEXT-ID: ***"},
      {"X-CLIENT-PROPS: {\"Region\":\"x\",\"Token\":\"y\"}",
       "X-CLIENT-PROPS: {\"Region\":\"x\",\"Token\":\"***\"}"},
      {"Location: http://u:p@h/x;sid=9?code=1&password=2",
       "Location: http://***@h/x;sid=***?code=***&password=***"},
      {"X-Auth-Token: foo", "X-Auth-Token: ***"},
      {"Authentication: foo bar", "Authentication: ***"},
      {"Authentication-Info: nextnonce=\"x\"", "Authentication-Info: ***"},
      {"X-Session: foo", "X-Session: ***"},
      {"x-access-code: foo", "x-access-code: ***"},
      {"X-Ray: foo", NULL},
      {"WWW-Authenticate: Basic realm=\"x\"", NULL},
      {"Content-Type: application/json", NULL},
  };
  CHECK_ROWS(mask_header, rows);
}

void forms_and_json_are_masked (void) {
  static const struct row rows[] = {
      {"j_username=lua&j_password=se%63ret%21;a,b&submit=1", "j_username=lua&j_password=***&submit=1"},
      {"dse_sessionId=abc&dse_operationName=op&SESSION_KEY=77",
       "dse_sessionId=***&dse_operationName=op&SESSION_KEY=***"},
      {"grant_type=authorization_code&code=a%2Bb&x=1", "grant_type=authorization_code&code=***&x=1"},
      {"code=DE&x=1", NULL},
      {"a=%70assword%2&clientSecret=a%2Fb%2Fc%2Fd&x=a/b/c/d", "a=%70assword%2&clientSecret=***&x=***"},
      {"{\"user\":\"lua\",\"password\":\"se\\\"cret\",\"n\":1,\"expires_in\":3}",
       "{\"user\":\"lua\",\"password\":\"***\",\"n\":1,\"expires_in\":3}"},
      {"{\"access_token\" : \"abcdef\", \"x\":\"abcdef\"}", "{\"access_token\" : \"***\", \"x\":\"***\"}"},
      {"{\"tokens\":[\"abcdef1\",{\"b\":\"}\"}],\"x\":\"abcdef1\"}", "{\"tokens\":\"***\",\"x\":\"***\"}"},
      {"{\"a\":\"{\\\"password\\\":\\\"x1\\\",\\\"y\\\":2}\"}",
       "{\"a\":\"{\\\"password\\\":\\\"***\\\",\\\"y\\\":2}\"}"},
      {"{\"name\":\"token\",\"value\":\"abc\"}", "{\"name\":\"token\",\"value\":\"***\"}"},
      {"{\"value\":\"abc\",\"name\":\"token\"}", "{\"value\":\"***\",\"name\":\"token\"}"},
      {"{\"pin\":123,\"secret\":true,\"jwt\":null}", "{\"pin\":\"***\",\"secret\":true,\"jwt\":null}"},
      {"{\"password\":\"cut", "{\"password\":\"***"},
      {"{\"password\":", NULL},
      {"{\"credentials\":{\"a\":\"b", "{\"credentials\":\"***\""},
      {"{\"token_type\":\"bearer\",\"tokenUri\":\"http://x\"}", NULL},
      {"[\"password\"]", NULL},
      {"plain text: password: hunter2, ok", "plain text: password: ***, ok"},
      {"pwd='a b'", "pwd='***'"},
  };
  CHECK_ROWS(mask_body, rows);
}

void markup_and_parts_are_masked (void) {
  static const struct row rows[] = {
      {"<l><user>lua</user><password>hush</password><ns:sessionId a=\"b\">77</ns:sessionId><token/></l>",
       "<l><user>lua</user><password>***</password><ns:sessionId a=\"***\">***</ns:sessionId><token/></l>"},
      {"<password><![CDATA[hu<sh]]></password>", "<password><![CDATA[***]]></password>"},
      {"<input value=\"abc\" type=\"hidden\" name=\"_csrf\"><input name=password value=abc><p>x</p>",
       "<input value=\"***\" type=\"hidden\" name=\"_csrf\"><input name=password value=***><p>x</p>"},
      {"<field id=\"dse_sessionId\">abc</field>", "<field id=\"dse_sessionId\">***</field>"},
      {"<token", NULL},
      {"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhush hush\r\n--b\r\n"
       "Content-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n--b--",
       "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n--b\r\n"
       "Content-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n--b--"},
  };
  CHECK_ROWS(mask_body, rows);
}

/* A secret is one wherever it comes again, also cut. No more than 64 are remembered. */
void secrets_are_remembered (void) {
  struct mask m;
  struct buffer to;
  char line[32];
  mask_init(&m, &checked_memory);
  buffer_init(&to, &checked_memory, 100000);
  CHECK(mask_header(&m, &to, "Cookie: a=first-secret; b=two", strlen("Cookie: a=first-secret; b=two")));
  buffer_clear(&to);
  CHECK(mask_body(&m, &to, "x first-secret y two z first-sec", strlen("x first-secret y two z first-sec")));
  CHECK(strcmp(to.data, "x *** y two z ***") == 0);
  for (int i = 0; i < 100; i++) {
    int length = snprintf(line, sizeof line, "token=secret-%d", i);
    buffer_clear(&to);
    CHECK(mask_body(&m, &to, line, (size_t)length) && strcmp(to.data, "token=***") == 0);
  }
  CHECK(m.count == 64);
  buffer_cleanup(&to);
  mask_cleanup(&m);
}
