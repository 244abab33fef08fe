; A parent that is busy does not hold its child up for longer than the child wants to wait.
(define number 1)
(define child
  (spawn-child
    '(begin
       (define started (seconds))
       (define caught (try (remote 'number) (catch (e) e)))
       (assert-equal 'timeout (condition-kind caught))
       (assert (< (- (seconds) started) 5))
       ; Later it is there again.
       (define (retry) (try (remote 'number) (catch (e) (retry))))
       (assert-equal 1 (retry)))
    :timeout 30))
(export-variable 'number)
(sleep 0.2)
(assert-equal 0 (wait-child child))

; Ctrl-C ends a wait, not the program.
(define waiting
  (spawn-child
    '(begin
       (define caught (try (parent-call 'interrupt) (catch (e) e)))
       (assert-equal 'cancelled (condition-kind caught))
       (assert-equal 1 (remote 'number)))))
(define (interrupt) (kill-child waiting 2) (sleep 0.1) nil)
(for-each export-variable '(number interrupt))
(assert-equal 0 (wait-child waiting))
