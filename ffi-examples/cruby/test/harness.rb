# Each test runs in a process of its own, since what ractors did once can't be undone. A run ends with
# the line "N passed, N failed".

Warning[:experimental] = false

module Harness
  @tests = []

  class << self
    def add(name, block)
      @tests << [name, block]
    end

    def run(filter)
      @tests.select! { |name, _| name.match?(filter) }
      failed = @tests.reject { |name, block| passes?(name, block) }
      puts "#{@tests.size - failed.size} passed, #{failed.size} failed"
      failed.empty?
    end

    private

    def passes?(name, block)
      output, input = IO.pipe
      child = fork do
        output.close
        $stderr.reopen(input)
        Checks.new.instance_exec(&block)
        exit!(0)
      rescue Exception => error
        input.puts(error.full_message(highlight: false))
        exit!(1)
      end
      input.close
      text = output.read
      _, status = Process.wait2(child)
      return true if status.success?
      puts "FAILED: #{name}#{" by #{status}" unless status.exited?}", text.gsub(/^/, "    ")
      false
    end
  end

  # What the tests say.
  class Checks
    class Failure < StandardError; end

    def equal(wanted, found)
      return if wanted == found
      wrong "wanted #{wanted.inspect}, found #{found.inspect}"
    end

    def wrong(message)
      raise Failure, message
    end

    # The error that the block raises.
    def raises(*kinds)
      yield
    rescue *kinds => error
      error
    else
      wrong "no #{kinds.join(" or ")}"
    end

    def state(object) = Ractor::Autoshare.state(object)

    def each_state(wanted, *objects)
      objects.each { |object| equal(wanted, state(object)) }
    end

    # Makes a ractor exist: from now on constants are marked when they are assigned.
    def ractors_exist
      Ractor.new {}.take
    end

    # What a ractor reads from Object's constant X.
    def read(name = :X)
      ractor = Ractor.new(name) { |constant| Object.const_get(constant) }
      ractor.take
    end

    # The error that reading it raises.
    def refused(name = :X)
      error = raises(Ractor::RemoteError) do
        quietly { read(name) }
      end
      equal(Ractor::IsolationError, error.cause.class)
      error.cause
    end

    def quietly
      before, $stderr = $stderr, File.open(File::NULL, "w")
      Thread.report_on_exception = false
      yield
    ensure
      $stderr = before
    end

    # Assigns to Object's constant X, after the first ractor.
    def assign(value, name = :X)
      ractors_exist
      Object.send(:remove_const, name) if Object.const_defined?(name, false)
      Object.const_set(name, value)
    end

    # That the block writes to `object`, which is a constant's: A becomes B, and a ractor can't read it.
    def writes(object)
      assign(object)
      equal(:autoshare, state(object))
      yield object
      wrong "not seen as a write: #{state(object)}" unless state(object) == :ordinary
      refused
    end

    # That the block does not write.
    def only_reads(object)
      assign(object)
      yield object
      equal(:autoshare, state(object))
      read
      equal(:shareable, state(object))
    end
  end
end

def test(name, &block)
  Harness.add(name, block)
end

at_exit do
  next if $!
  all_passed = Harness.run(Regexp.new(ARGV.fetch(0, "")))
  $stdout.flush
  exit!(all_passed)
end
