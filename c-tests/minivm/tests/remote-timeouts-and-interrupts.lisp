; A parent that is busy does not hold its child up for longer than the child wants to wait.
(define number 1)
(define (work) (sleep 0.2) 'done)
(for-each export-variable '(number work))
(define child
  (spawn-child
    '(begin
       (define started (seconds))
       (define caught (try (parent-call 'work) (catch (e) e)))
       (assert-equal 'timeout (condition-kind caught))
       (assert (string-contains? (condition-message caught) "unknown"))
       ; Later it is there again. What came too late is passed over.
       (define (retry) (try (remote 'number) (catch (e) (retry))))
       (assert-equal 1 (retry)))
    :timeout 50))
(assert-equal 0 (wait-child child))

; Ctrl-C ends a wait, not the program. The parent answers when the child has told that it waits no more.
(define is-told nil)
(define (tell) (set! is-told t) nil)
(define (interrupt)
  (kill-child waiting 2)
  (while (not is-told) (serve waiting 10))
  nil)
(for-each export-variable '(interrupt tell))
(define waiting
  (spawn-child
    '(begin
       (define caught (try (parent-call 'interrupt) (catch (e) e)))
       (assert-equal 'cancelled (condition-kind caught))
       (parent-call 'tell)
       (assert-equal 1 (remote 'number)))))
(assert-equal 0 (wait-child waiting))
