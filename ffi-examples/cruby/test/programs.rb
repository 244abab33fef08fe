# Libraries whose constants, class variables and classes' instance variables keep ractors out of them today,
# unchanged in ractors: ruby programs.rb STOCK OURS [FOLDER of Debian's packages of gems, unpacked]
#
# Each program is run in main and in a ractor, in both interpreters. Stock must refuse it, ours must answer
# what main answers. Ends with the line "N passed, N failed".

require "json"
require "open3"

STOCK, OURS, GEMS = ARGV

Program = Struct.new(:name, :requires, :code)

PROGRAMS = [
  Program.new("net/http: a response", %w[net/http stringio], <<~RUBY),
    io = StringIO.new("HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
    response = Net::HTTPResponse.read_new(Net::BufferedIO.new(io))
    [response.code, response.class.name, response["content-type"]]
  RUBY
  Program.new("cgi: cookies and escapes", %w[cgi], <<~RUBY),
    cookies = CGI::Cookie.parse("a=b; c=d%20e")
    [cookies["a"].first, cookies["c"].first, CGI.unescape("x%26y"), CGI.rfc1123_date(Time.at(0))]
  RUBY
  Program.new("erb: a template", %w[erb], <<~RUBY),
    rows = %w[one two]
    ERB.new("<% rows.each do |row| -%>* <%= row %>\\n<% end -%>", trim_mode: "-").result(binding)
  RUBY
  Program.new("builder: XML", %w[builder], <<~RUBY),
    xml = Builder::XmlMarkup.new(indent: 1)
    xml.list { xml.item("x & \\u00e9", kind: 1) }
  RUBY
  Program.new("addressable: URI templates", %w[addressable/template], <<~RUBY),
    Addressable::Template.new("http://example.org/{x}{?q}").expand(x: "1", q: "2").to_s
  RUBY
].freeze

# What a process prints: how the ractor ended, and what main answers.
WRAPPER = <<~'RUBY'
  require "json"
  Warning[:experimental] = false
  Thread.report_on_exception = false
  code = $stdin.read
  in_ractor =
    begin
      { answer: eval("Ractor.new do\n#{code}\nend").take }
    rescue Ractor::RemoteError => error
      { error: error.cause.class.name, message: error.cause.message.lines.first.chomp }
    end
  puts JSON.generate({ ractor: in_ractor, main: { answer: eval(code) } })
RUBY

# Folders of gems are named: RubyGems' `require` takes a lock, which no ractor can share.
def paths(ruby)
  bundled = Open3.capture2(ruby, "-e", "print Gem.default_dir")[0]
  Dir.glob(["#{bundled}/gems/*/lib", "#{GEMS}/usr/share/rubygems-integration/all/gems/*/lib"])
end

def run(ruby, program)
  options = paths(ruby).flat_map { |path| ["-I", path] } + program.requires.flat_map { |name| ["-r", name] }
  text, error, status = Open3.capture3(ruby, "-W0", "--disable-gems", *options, "-e", WRAPPER, stdin_data: program.code)
  raise "#{program.name}: #{error}" unless status.success?
  JSON.parse(text)
end

def fault(stock, ours)
  return "stock does not refuse it: #{stock["ractor"]}" unless stock["ractor"]["error"] == "Ractor::IsolationError"
  return "ours refuses it: #{ours["ractor"]["message"]}" if ours["ractor"]["error"]
  "ours answers #{ours["ractor"]}, main #{ours["main"]}" unless ours["ractor"] == ours["main"]
end

failed = PROGRAMS.count do |program|
  stock, ours = run(STOCK, program), run(OURS, program)
  fault = fault(stock, ours)
  puts program.name, "    stock: #{stock["ractor"]["message"]}", "    ours:  #{fault || ours["ractor"]["answer"].inspect}"
  fault
end
puts "#{PROGRAMS.size - failed} passed, #{failed} failed"
exit(failed.zero?)
