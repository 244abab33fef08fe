; What is raised by the peer is raised here, with its kind and its text.
(define (fail) (raise 'own-kind "it did not work"))
(define (call-back procedure) (procedure))
(define (deep) (+ 1 (deep)))
(define child
  (spawn-child
    '(begin
       (define caught (try (parent-call 'fail) (catch (e) e)))
       (assert-equal 'own-kind (condition-kind caught))
       (assert-equal "it did not work" (condition-message caught))
       (assert-error 'argument-error (parent-call 'fail 1))
       (assert-error 'depth-error (parent-call 'deep))
       ; There and back.
       (assert-error 'child-kind (parent-call 'call-back (lambda () (raise 'child-kind "here"))))
       (assert-error 'name-error (parent-call 'call-back (lambda () no-such-variable)))
       ; An endless ping-pong is an error as well.
       (define (endless) (parent-call 'call-back endless))
       (define kind (condition-kind (try (endless) (catch (e) e))))
       (assert (or (eq? kind 'limit-error) (eq? kind 'depth-error)))
       ; The link goes on.
       (assert-error 'own-kind (parent-call 'fail)))))
(for-each export-variable '(fail call-back deep))
(assert-equal 0 (wait-child child))
