# Looks for writes that pass without a check, while another program runs: ruby -r ./probe program
#
# Before each line of the program's test files, whatever its local variables and its object's instance
# variables hold is assigned to a constant, which makes it auto-shareable; every now and then the library's
# verifier compares. What changed although no check announced it is written to the file that PROBE_LOG
# names, with the last lines that were run. Needs RUBY_AUTOSHARE_VERIFY=1.
#
#   PROBE_FILES   which files' lines count, a pattern

Warning[:experimental] = false

module Probe
  FILES = Regexp.new(ENV.fetch("PROBE_FILES", "/test/"))
  LOG = ENV["PROBE_LOG"]
  # Lines between two looks at everything that is auto-shareable.
  PERIOD = 50
  # After so many lines nothing more is watched.
  LIMIT = 100_000

  # Where ractors exist, CRuby 3.3 loses a trace at each collection, which therefore comes only when it is
  # called for.
  module Restart
    def start(**) = super.tap { Probe.restart }
    def compact = super.tap { Probe.restart }
  end

  class << self
    attr_accessor :lines, :found, :places

    def start
      self.lines = 0
      self.found = 0
      self.places = []
      Ractor.new {}.take
      @trace = TracePoint.new(:line) { |point| look(point) if point.path.match?(FILES) }
      @trace.enable
      GC.disable
      GC.singleton_class.prepend(Restart)
      main = Process.pid
      at_exit { finish if Process.pid == main }
    end

    def restart
      @trace.disable
      @trace.enable
    end

    def look(point)
      return unless Thread.current == Thread.main && lines < LIMIT
      verify if (lines % PERIOD).zero?
      self.lines += 1
      places << "#{File.basename(point.path)}:#{point.lineno}"
      watch(values(point))
      GC.start if (lines % 20_000).zero?
    end

    def values(point)
      binding = point.binding
      locals = binding.local_variables.map { |name| binding.local_variable_get(name) }
      object = point.self
      return locals if Module === object
      names = Kernel.instance_method(:instance_variables).bind_call(object)
      locals + names.filter_map do |name|
        next if name.start_with?("@_", "@internal")
        Kernel.instance_method(:instance_variable_get).bind_call(object, name)
      end
    end

    # The constant is assigned anew each time: what was written becomes auto-shareable again.
    def watch(values)
      Object.send(:remove_const, :PROBED) if Object.const_defined?(:PROBED, false)
      Object.const_set(:PROBED, values)
    end

    def verify
      while (text = Ractor::Autoshare.verify)
        self.found += 1
        log("#{text.gsub(/^/, "    ")}\n  after #{places.join(" ")}")
      end
      places.clear
    end

    def finish
      @trace.disable
      verify
      counts = Ractor::Autoshare.statistics
      log("#{lines} lines, #{counts[:objects_marked]} objects marked, " \
          "#{counts[:objects_written]} writes announced, #{found} not announced")
    end

    def log(text)
      LOG ? File.write(LOG, text + "\n", mode: "a") : $stderr.puts(text)
    end
  end
end

Probe.start
