# CRuby's own tests, stock against ours: ruby suites.rb STOCK OURS, two build folders.
#
# What fails here and not there must be listed in removed_errors.txt. Ends with the counts.

require "open3"

STOCK, OURS = ARGV
NAMES = %w[
  ractor array hash string symbol struct object module class variable const proc marshal gc gc_compact
  iseq refinement objectspace rational complex regexp set time
].freeze

# A test of bootstraptest that failed: its file, and its first statements.
def bootstrap_failures(log)
  log.scan(/^#\d+ (test_\w+\.rb):\d+: .*?\n(.*?)^  #=> /m).map do |file, body|
    [file, body.lines.map(&:strip).reject(&:empty?).join("; ")]
  end
end

def removed_errors
  lines = File.readlines(File.join(__dir__, "removed_errors.txt"), chomp: true)
  lines.reject { |line| line.start_with?("#") }.map { |line| line.split(" ", 2) }
end

def make(folder, *arguments)
  Open3.capture2e("make", "-C", folder, *arguments)[0]
end

def bootstrap(folder)
  log = make(folder, "btest-ruby")
  total = log[/(\d+) tests failed|all (\d+) tests/, 0] or raise log.lines.last(20).join
  count = log[%r{FAIL \d+/(\d+)}, 1] || log[/PASS all (\d+)/, 1]
  [count.to_i, bootstrap_failures(log), total]
end

# The files of test/ that the version has: those named, and what other libraries test in ractors.
def files(folder)
  source = File.expand_path(File.read(File.join(folder, "Makefile"))[/^srcdir = (.*)/, 1], folder)
  test = File.join(source, "test")
  named = NAMES.flat_map { |name| ["ruby/test_#{name}.rb", "test_#{name}.rb"] }
  named.select! { |file| File.exist?(File.join(test, file)) }
  ractors = Dir.glob("*/test_ractor*.rb", base: test)
  named + ractors.sort
end

def test_all(folder)
  log = make(folder, "test-all", "TESTS=#{files(folder).join(" ")}", "TESTOPTS=-q --hide-skip -j1")
  counts = log[/^\d+ tests, \d+ assertions, \d+ failures, \d+ errors.*$/] or raise log.lines.last(20).join
  [counts, log.scan(/^ *\d+\) (?:Failure|Error):\n(.*?)[:\[]/).flatten]
end

wrong = []
stock_count, stock_failures, = bootstrap(STOCK)
ours_count, ours_failures, = bootstrap(OURS)
expected, unexpected = (ours_failures - stock_failures).partition do |file, body|
  removed_errors.any? { |listed, start| file == listed && body.start_with?(start) }
end
puts "bootstraptest: stock #{stock_failures.size} of #{stock_count} fail, ours #{ours_failures.size} " \
     "of #{ours_count}; #{expected.size} of these assert an error that autoshare removes"
unexpected.each { |file, body| wrong << "#{file}: #{body[0, 200]}" }

stock_tests, stock_failed = test_all(STOCK)
ours_tests, ours_failed = test_all(OURS)
puts "test-all, stock: #{stock_tests}", "test-all, ours:  #{ours_tests}"
wrong.concat(ours_failed - stock_failed)

puts wrong.map { |line| "only ours fails: #{line}" }
exit(wrong.empty?)
