<%@ page contentType="text/plain;charset=UTF-8" session="false" trimDirectiveWhitespaces="true"
  import="java.io.*,java.lang.management.ManagementFactory,java.nio.charset.StandardCharsets,java.util.UUID,javax.management.*" %><%!
  // The whole of each application: what it is comes from web.xml.

  void text(HttpServletResponse response, int status, String type, String text) throws IOException {
    response.setStatus(status);
    response.setContentType(type);
    response.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
  }

  void page(HttpServletResponse response, int status, String text) throws IOException {
    text(response, status, "text/html;charset=UTF-8", "<html><body>" + text + "</body></html>");
  }

  String parameter(String name) {
    return getServletContext().getInitParameter(name);
  }

  void numbered(HttpServletResponse response, int size) throws IOException {
    byte[] text = new byte[size];
    for (int i = 0; i < size; i++) {
      int digit = i / 8;
      for (int power = i % 8; power < 6; power++) digit /= 10;
      text[i] = (byte) (i % 8 == 7 ? '\n' : '0' + digit % 10);
    }
    response.setContentType("application/octet-stream");
    response.setContentLength(size);
    response.getOutputStream().write(text);
  }

  void echo(HttpServletRequest request, HttpServletResponse response) throws IOException {
    byte[] body = request.getInputStream().readAllBytes();
    response.setContentType("application/octet-stream");
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  // An access token is good as long as the system property of its name says.
  String tokens(HttpSession session) {
    String access = UUID.randomUUID().toString(), refresh = session.getId() + "-" + UUID.randomUUID();
    long seconds = Long.parseLong(parameter("seconds"));
    System.setProperty("access." + access, String.valueOf(System.currentTimeMillis() + 1000 * seconds));
    session.setAttribute("refresh", refresh);
    System.getProperties().put("refresh." + refresh, session);
    return "{\"token_type\":\"oecp\",\"expires_in\":" + seconds + ",\"access_token\":\"" + access
      + "\",\"refresh_token\":\"" + refresh + "\"}";
  }

  void logIn(HttpServletRequest request, HttpServletResponse response) throws Exception {
    request.setCharacterEncoding("UTF-8");
    if (request.getUserPrincipal() != null) request.logout();
    HttpSession session = request.getSession(true);
    try {
      request.login(request.getParameter("j_username"), request.getParameter("j_password"));
    } catch (jakarta.servlet.ServletException e) {
      session.invalidate();
      if (parameter("model").equals("pages")) page(response, 200, "Login failed");
      else page(response, 401, "No such user");
      return;
    }
    session.setAttribute("user", request.getParameter("j_username"));
    if (parameter("model").equals("tokens")) text(response, 200, "application/json", tokens(session));
    else {
      session.setMaxInactiveInterval(Integer.parseInt(parameter("seconds")));
      response.sendRedirect(request.getContextPath() + "/static/home.html");
    }
  }

  void refresh(HttpServletRequest request, HttpServletResponse response) throws Exception {
    String body = new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String token = body.replaceAll(".*\"refresh_token\":\\s*\"([^\"]*)\".*", "$1");
    HttpSession session = (HttpSession) System.getProperties().remove("refresh." + token);
    try {
      if (session != null && token.equals(session.getAttribute("refresh"))) {
        text(response, 200, "application/json", tokens(session));
        return;
      }
    } catch (IllegalStateException e) { // it was invalidated
    }
    text(response, 401, "application/json", "{\"error\":\"sso.token.rejected_token\"}");
  }

  void logOut(HttpServletRequest request, HttpServletResponse response) throws Exception {
    HttpSession session = request.getSession(false);
    if (session != null) session.invalidate();
    page(response, 200, "Good bye");
  }

  // Whether the request shows the token that the model wants.
  boolean mayPass(HttpServletRequest request, HttpServletResponse response) throws IOException {
    String model = parameter("model"), shown = String.valueOf(request.getHeader("Authorization"));
    if (model.equals("bearer") && !shown.equals("Bearer " + parameter("token"))) {
      response.setHeader("WWW-Authenticate", "Bearer realm=\"bearer\"");
      page(response, 401, "No such token");
      return false;
    }
    if (!model.equals("sso")) return true;
    String until = shown.startsWith("oecp ") ? System.getProperty("access." + shown.substring(5)) : null;
    if (until != null && Long.parseLong(until) > System.currentTimeMillis()) return true;
    String error = until == null ? "rejected_token" : "expired_token";
    response.setHeader("WWW-Authenticate", "oecp error=401, error_description=\"" + error + "\"");
    text(response, 401, "application/json", "{\"error\":\"sso.token." + error + "\"}");
    return false;
  }

  // Who is logged in, in any of the applications: lines of context and user.
  String logins() throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    StringBuilder lines = new StringBuilder();
    for (ObjectName manager : server.queryNames(new ObjectName("Catalina:type=Manager,*"), null)) {
      for (String id : ((String) server.invoke(manager, "listSessionIds", null, null)).split(" ")) {
        if (id.isEmpty()) continue;
        Object user = server.invoke(manager, "getSessionAttribute", new Object[] {id, "user"},
          new String[] {"java.lang.String", "java.lang.String"});
        if (user != null) lines.append(manager.getKeyProperty("context")).append(' ').append(user).append('\n');
      }
    }
    return lines.toString();
  }
%><%
  String path = request.getServletPath() + (request.getPathInfo() == null ? "" : request.getPathInfo());
  if (path.equals("/static/auth/j_spring_security_check")) logIn(request, response);
  else if (path.equals("/static/auth/j_spring_security_logout")) logOut(request, response);
  else if (path.equals("/static/auth/token")) refresh(request, response);
  else if (path.equals("/login")) {
    page(response, parameter("model").equals("pages") ? 200 : 401,
      "<form action='static/auth/j_spring_security_check' method='POST'></form>");
  }
  else if (path.equals("/logins")) text(response, 200, "text/plain", logins());
  else if (!mayPass(request, response)) return;
  else if (path.equals("/static/home.html")) page(response, 200, "Welcome");
  else if (path.equals("/static/Catalog.json")) {
    response.setContentType("application/json");
    getServletContext().getResourceAsStream("/Catalog.json").transferTo(response.getOutputStream());
  }
  else if (path.equals("/rest/_oepingService/_oeping")) {
    text(response, 200, "application/json", "{\"response\":{\"_retVal\":\"\"}}");
  }
  else if (path.startsWith("/bodies/")) numbered(response, Integer.parseInt(path.substring(8)));
  else if (path.equals("/echo")) echo(request, response);
  else if (path.equals("/redirect/same")) response.sendRedirect(request.getContextPath() + "/static/home.html");
  else page(response, 404, "Not here");
%>
