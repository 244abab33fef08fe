; A child that is killed takes its objects along, and lets go of its parent's.
(define objects (list 1 2 3))
(define kept nil)
(define (keep object) (set! kept object) (kill-child child) nil)
(define child
  (spawn-child
    '(begin
       (define objects (remote 'objects))
       (parent-call 'keep (list 'mine)))))
(for-each export-variable '(objects keep))
(assert-equal -9 (wait-child child))
(assert-equal -9 (wait-child child))
(assert (not (link-alive? child)))
(assert (not (serve child 10)))
(assert-equal 0 (cdr (car (link-counts child))))
(assert-error 'peer-dead (car kept))
(assert-error 'peer-dead (child-remote child 'x))
(setcar objects 10)
(assert-equal '(10 2 3) objects)

; While the parent waits for its answer.
(define victim
  (spawn-child
    '(begin
       (define (end) (exit 3))
       (parent-call 'tell-ready)
       (run-loop))))
(define is-ready nil)
(define (tell-ready) (set! is-ready t) nil)
(export-variable 'tell-ready)
(while (not is-ready) (serve victim 10))
(define caught (try (child-call victim 'end) (catch (e) e)))
(assert-equal 'peer-dead (condition-kind caught))
(assert-equal 3 (wait-child victim))

; A parent that ends: its child's requests fail, and the child goes on.
(define orphan-maker
  (spawn-child
    '(begin
       (define orphan
         (spawn-child
           '(begin
              (define caught (try (remote 'no-answer) (catch (e) e)))
              (exit (if (eq? (condition-kind caught) 'peer-dead) 0 1)))))
       (exit 0))))
(assert-equal 0 (wait-child orphan-maker))
