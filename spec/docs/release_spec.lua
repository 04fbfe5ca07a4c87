-- A release: everything that says a version says that of csrc/net/version.h.
local datasession = require "datasession"
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"
local sandbox = require "datasession.sandbox"

local function run(...) return shell.run(dofile("spec/support/child.lua").interpreter(), ...) end

local function loaded(path)
  local rockspec = {}
  assert(loadfile(path, "t", rockspec))()
  return rockspec
end

describe("a release", function()
  local version, directory

  setup(function()
    version = run("tools/release.lua", "version"):match "^(%d+%.%d+%.%d+)\n$"
    directory = files.directory()
  end)
  teardown(function() files.removeDirectory(directory) end)

  it("has a number that the module, the command and its man page show", function()
    assert.equal("datasession " .. version, datasession._VERSION)
    assert.equal(datasession._VERSION, run("bin/datasession", "version"):match "^[^\n]*")
    local manual = run("tools/command-files.lua", "-")
    assert.matches('^.TH DATASESSION 1 "" "datasession ' .. version:gsub("%p", "%%%0") .. '" ', manual)
  end)

  it("has a number that requests carry", function()
    local server <close> = assert(sandbox.start())
    local session = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await())
    local agent = server:requests()[1].headers["user-agent"]
    assert.equal(("datasession/%s libcurl/%s"):format(version, datasession.version().curl), agent)
    assert(session:logout():await())
  end)

  it("has a number that the changelog's newest numbered heading and the pages name", function()
    assert.equal(version, files.read "CHANGELOG.md":match "\n## (%d+%.%d+%.%d+) %(%d%d%d%d%-%d%d%-%d%d%)\n")
    assert.equal(version, files.read "mkdocs.yml":match "\ncopyright: datasession (%S+),")
    assert.equal(version, files.read "docs/upgrading.md":match "documentation of datasession (%d+%.%d+%.%d+)")
    for named in files.read "docs/installing.md":gmatch "datasession%-(%d+%.%d+%.%d+)" do
      assert.equal(version, named)
    end
  end)

  it("has rockspecs that name its tag, its home and what they install", function()
    run("tools/release.lua", "rockspecs", directory)
    local prefix = directory .. "/datasession"
    local client = loaded(("%s-%s-1.rockspec"):format(prefix, version))
    local server = loaded(("%s-sandbox-%s-1.rockspec"):format(prefix, version))
    for _, rockspec in ipairs { client, server } do
      assert.equal(version .. "-1", rockspec.version)
      assert.equal("v" .. version, rockspec.source.tag)
      for _, field in ipairs { "homepage", "issues_url", "maintainer", "license", "summary" } do
        assert.is_string(rockspec.description[field], field)
      end
      assert.same(client.source, rockspec.source)
      assert.equal(client.description.homepage, rockspec.description.homepage)
    end
    assert.same({ "docs", "examples", "types" }, client.build.copy_directories)
    assert.equal("datasession == " .. version, server.dependencies[2])
    assert.is_not_nil(client.build.install.lua["datasession.command"])
    assert.is_nil(files.read(("%s-%s-1.rockspec"):format(prefix, version)):find("scm", 1, true))
  end)

  it("has Debian packages of its version, home and maintainer", function()
    shell.run("cp -R packaging/debian", directory .. "/debian")
    run("tools/release.lua", "debian", directory .. "/debian")
    local about = loaded("datasession-scm-1.rockspec").description
    local changelog = files.read(directory .. "/debian/changelog")
    assert.equal(version .. "-1", changelog:match "^datasession %((%S+)%) unstable;")
    assert.is_not_nil(changelog:find("\n -- " .. about.maintainer .. "  ", 1, true))
    local control = files.read(directory .. "/debian/control")
    assert.equal(about.homepage, control:match "\nHomepage: (%S+)")
    assert.equal(about.maintainer, control:match "\nMaintainer: ([^\n]+)")
    local packages = {}
    for name in control:gmatch "\nPackage: (%S+)" do packages[#packages + 1] = name end
    assert.same({ "lua-datasession", "lua-datasession-sandbox", "datasession" }, packages)
    assert.is_nil((control .. files.read(directory .. "/debian/copyright")):find "@%u")
  end)
end)

describe("the deprecated names", function()
  it("work, each as the name that the page lists beside it", function()
    local rows = files.read "docs/upgrading.md":match "| deprecated name | name |\n[^\n]*\n(.-)\n\n"
    local counts = { ["datasession."] = 0, ["session."] = 0, ["option "] = 0, ["module "] = 0 }
    for first, second in rows:gmatch "| ([^|]-) | ([^|]-) |" do
      local kind = first:match "^`(%l+%.)" or first:match "^%l+ "
      local old, new = first:match "`([%w.]+)`", second:match "`([%w.]+)`"
      counts[kind] = counts[kind] + 1
      if kind == "datasession." then
        assert.is_function(datasession[old:sub(#kind + 1)])
        assert.equal(datasession[new:sub(#kind + 1)], datasession[old:sub(#kind + 1)])
      elseif kind == "module " then
        assert.equal(require(new), require(old))
      end -- spec/session/names_spec.lua tries the others
    end
    assert.same({ ["datasession."] = 2, ["session."] = 1, ["option "] = 1, ["module "] = 1 }, counts)
  end)
end)
